import {
  encodePublish,
  PacketType,
  type ProtocolVersion,
  type PublishPacket,
  packetIdOffset,
  type QoS,
} from "@tidewire/codec";
import type { EncodedPublish } from "@tidewire/session";
import type { IncomingPublication } from "./publication.ts";

/**
 * One publication as bytes, encoded once for each shape that receivers need (version, QoS, RETAIN) and not once for
 * each receiver. Where it came in with a shape that goes out, these are the received bytes themselves.
 */
export class Encodings {
  readonly #publication: IncomingPublication;
  readonly #shapes: (EncodedPublish | undefined)[] = [];

  constructor(publication: IncomingPublication) {
    this.#publication = publication;
  }

  /** Uses received bytes as they are, unless what they hold is for one connection only. */
  forward(packet: PublishPacket, bytes: Uint8Array, version: ProtocolVersion): void {
    if (!packet.dup && packet.properties?.topicAlias === undefined) {
      this.#shapes[shapeOf(version, packet.qos, packet.retain)] = {
        version,
        bytes,
        packetIdOffset: packet.qos === 0 ? 0 : packetIdOffset(bytes),
      };
    }
  }

  get(version: ProtocolVersion, qos: QoS, retain: boolean): EncodedPublish {
    const shape = shapeOf(version, qos, retain);
    let encoded = this.#shapes[shape];
    if (encoded === undefined) {
      encoded = this.#encode(version, qos, retain);
      this.#shapes[shape] = encoded;
    }
    return encoded;
  }

  #encode(version: ProtocolVersion, qos: QoS, retain: boolean): EncodedPublish {
    const { topic, payload, properties } = this.#publication;
    const bytes = encodePublish(
      {
        type: PacketType.PUBLISH,
        topic,
        payload,
        qos,
        retain,
        dup: false,
        // Patched for each receiver.
        packetId: qos === 0 ? 0 : 1,
        properties: version === 5 ? properties : undefined,
      },
      version,
    );
    return { version, bytes, packetIdOffset: qos === 0 ? 0 : packetIdOffset(bytes) };
  }
}

/** MQTT 3.1 and 3.1.1 have the same PUBLISH. */
function shapeOf(version: ProtocolVersion, qos: QoS, retain: boolean): number {
  return (version === 5 ? 6 : 0) + qos * 2 + (retain ? 1 : 0);
}
