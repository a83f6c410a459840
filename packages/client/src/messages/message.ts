import type { Properties, QoS } from "@tidewire/codec";
import type { SchemaOutput, StandardSchema } from "./standard-schema.ts";

/** A message received. The payload is a view that stays valid for as long as it is kept. */
export interface Message {
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly qos: QoS;
  readonly retain: boolean;
  readonly dup: boolean;
  readonly properties: Properties | undefined;
  /** The payload as UTF-8; throws `payload-invalid` when it is not. */
  text(): string;
  /** The payload parsed as JSON; throws `payload-invalid` when it is not. */
  json(): unknown;
  /** The payload parsed as JSON and validated by any Standard Schema validator that answers synchronously. */
  json<Schema extends StandardSchema>(schema: Schema): SchemaOutput<Schema>;
  /** Takes responsibility for the message (manual acknowledgement; QoS 1 and 2). From 0x80 on it is refused (MQTT 5). */
  acknowledge(reasonCode?: number): void;
}

/** A message that is acknowledged when everyone who holds it has let go. */
export interface HeldMessage extends Message {
  /** One more has it; each has to `release` it, or with `manual` somebody to call `acknowledge`. */
  hold(manual: boolean): void;
  release(): void;
}
