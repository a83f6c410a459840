import type { QoS } from "@tidewire/codec";
import type { Message } from "@tidewire/session";
import type { Side } from "./schedule.ts";

/** A message that knows its place in the story; its payload begins with its number. */
export interface Letter extends Message {
  /** Counted from 0 over both directions. */
  readonly number: number;
  readonly from: Side;
  /** The receiver's application does not want it. */
  readonly refused: boolean;
  /** A server that crashed cannot tell whether it sent this. */
  maybeSent: boolean;
  /** The connection it was handed over on. */
  handedOn: number;
  /** Its session ended with it under way, or a peer's limit kept it back: nothing is promised about it any more. */
  excused: boolean;
  /** Its sender was told how it went, in this life of the sender or one before. */
  settled: boolean;
}

export function letter(
  number: number,
  from: Side,
  options: { readonly qos: QoS; readonly topic: number; readonly size: number; readonly refused: boolean },
): Letter {
  const payload = new Uint8Array(2 + options.size);
  payload[0] = number >> 8;
  payload[1] = number;
  return {
    number,
    from,
    topic: `topic/of/${from}/${options.topic}`,
    payload,
    qos: options.qos,
    retain: false,
    properties: undefined,
    refused: options.refused,
    maybeSent: false,
    handedOn: 0,
    excused: false,
    settled: false,
  };
}

export function numberOf(payload: Uint8Array): number {
  return ((payload[0] as number) << 8) | (payload[1] as number);
}
