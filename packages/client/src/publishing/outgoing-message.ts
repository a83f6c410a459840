import type { Properties, QoS } from "@tidewire/codec";
import type { Message } from "@tidewire/session";
import { type Deferred, deferred, reportUnwatched } from "../calls/index.ts";
import { type ClientError, callError } from "../errors/index.ts";
import type { QueuedMessage } from "../persistence/index.ts";
import type { PublishResult } from "./publish-options.ts";

/** A message from `publish` until its promise is settled. The session keeps the same object while it is in flight. */
export class OutgoingMessage implements QueuedMessage {
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly qos: QoS;
  readonly retain: boolean;
  readonly expiresAtMs: number;
  properties: Properties | undefined;
  /** Kept by the queue and by its owner. */
  queued = false;
  sequence = 0;
  /** Ends the limits on the caller's wait. */
  endWait: (() => void) | undefined = undefined;
  /** Absent when nobody waits: the message comes from a store, or was given up by its caller. */
  #call: Deferred<PublishResult> | undefined = undefined;
  #report: ((error: ClientError) => void) | undefined = undefined;

  constructor({ topic, payload, qos, retain, properties }: Message, expiresAtMs: number) {
    this.topic = topic;
    this.payload = payload;
    this.qos = qos;
    this.retain = retain;
    this.properties = properties;
    this.expiresAtMs = expiresAtMs;
  }

  /** What it costs in the queue. */
  get bytes(): number {
    return this.topic.length + this.payload.length;
  }

  /** Somebody waits for its end. */
  get awaited(): boolean {
    return this.#call !== undefined;
  }

  /** The promise of the call; `report` is told its error when nobody holds it. */
  await(report: (error: ClientError) => void): Promise<PublishResult> {
    this.#call = deferred();
    this.#report = report;
    return this.#call.promise;
  }

  resolve(result: PublishResult): void {
    this.#call?.resolve(result);
    this.#end();
  }

  reject(error: ClientError): void {
    if (this.#call !== undefined) {
      const named = callError("publish", this.topic, error);
      this.#call.reject(named);
      reportUnwatched(this.#call.promise, named, this.#report!);
    }
    this.#end();
  }

  #end(): void {
    this.endWait?.();
    this.endWait = this.#call = undefined;
  }
}
