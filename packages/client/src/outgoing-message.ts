import type { Properties, QoS } from "@tidewire/codec";
import type { ClientError } from "./errors.ts";
import type { PublishResult } from "./interfaces.ts";
import type { QueuedMessage } from "./store.ts";

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
  /** Absent when nobody waits: the message comes from a store, or was given up by its caller. */
  waiter: PublishWaiter | undefined;

  constructor(
    topic: string,
    payload: Uint8Array,
    qos: QoS,
    retain: boolean,
    properties: Properties | undefined,
    expiresAtMs: number,
  ) {
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

  resolve(result: PublishResult): void {
    const waiter = this.#end();
    waiter?.resolve(result);
  }

  reject(error: ClientError): void {
    const waiter = this.#end();
    waiter?.reject(error);
  }

  #end(): PublishWaiter | undefined {
    const waiter = this.waiter;
    this.waiter = undefined;
    waiter?.endWait?.();
    return waiter;
  }
}

/** The caller's side of a publish. */
export interface PublishWaiter {
  readonly resolve: (result: PublishResult) => void;
  readonly reject: (error: ClientError) => void;
  endWait: (() => void) | undefined;
}
