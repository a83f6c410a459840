import type { Properties, QoS } from "@tidewire/codec";
import { type HeldMessage, parseJson, parseText, type SchemaOutput, type StandardSchema } from "../messages/index.ts";
import type { PlainMessage } from "./protocol.ts";

/** A message in a page, whose acknowledgement the worker makes. */
export class RemoteMessage implements HeldMessage {
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly qos: QoS;
  readonly retain: boolean;
  readonly dup: boolean;
  readonly properties: Properties | undefined;
  readonly #onDone: (reasonCode: number) => void;
  #manual = false;
  #done = false;

  constructor(message: PlainMessage, onDone: (reasonCode: number) => void) {
    this.topic = message.topic;
    this.payload = message.payload;
    this.qos = message.qos;
    this.retain = message.retain;
    this.dup = message.dup;
    this.properties = message.properties;
    this.#onDone = onDone;
  }

  text(): string {
    return parseText(this.payload);
  }

  json(): unknown;
  json<Schema extends StandardSchema>(schema: Schema): SchemaOutput<Schema>;
  json(schema?: StandardSchema): unknown {
    return parseJson(this.payload, schema);
  }

  acknowledge(reasonCode = 0): void {
    if (this.#done) {
      return;
    }
    this.#done = true;
    this.#onDone(reasonCode);
  }

  /** Of the one consumer that a message handed to a page is for. */
  hold(manual: boolean): void {
    this.#manual = manual;
  }

  release(): void {
    if (!this.#manual) {
      this.acknowledge();
    }
  }
}
