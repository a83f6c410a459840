import type { AckPacket, Properties } from "@tidewire/codec";
import { PUBACK, PUBLISH, SUCCESS } from "@tidewire/codec/codes";
import type { OutgoingPublish } from "./publish-writer.ts";

/*
 * Packets that are filled, written and forgotten within one call. A writer never keeps a packet, and no handler runs
 * between filling and writing, so that one object of each kind serves all protocols and no packet allocates one.
 */

const EMPTY = /* @__PURE__ */ new Uint8Array(0);

export const scratchPublish: OutgoingPublish = {
  type: PUBLISH,
  topic: "",
  payload: EMPTY,
  qos: 0,
  retain: false,
  dup: false,
  packetId: 0,
  properties: undefined,
};

const scratchAck: { -readonly [Key in keyof AckPacket]: AckPacket[Key] } = {
  type: PUBACK,
  packetId: 0,
  reasonCode: SUCCESS,
  properties: undefined,
};

/** A PUBACK, PUBREC, PUBREL or PUBCOMP to be written at once. */
export function ackPacket<Type extends AckPacket["type"]>(
  type: Type,
  packetId: number,
  reasonCode: number = SUCCESS,
  properties?: Properties,
): AckPacket<Type> {
  scratchAck.type = type;
  scratchAck.packetId = packetId;
  scratchAck.reasonCode = reasonCode;
  scratchAck.properties = properties;
  return scratchAck as AckPacket<Type>;
}
