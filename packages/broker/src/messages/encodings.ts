import {
  type EncodedPacket,
  encodePublish,
  PacketType,
  type ProtocolVersion,
  packetIdOffset,
  type QoS,
} from "@tidewire/codec";
import type { IncomingPublication } from "./publication.ts";

/**
 * One publication as bytes, encoded once for each shape that receivers need (version, QoS, RETAIN) and not once for
 * each receiver. Where the shape that came in goes out, these are the received bytes themselves: an object of this
 * class is then its own only encoding, since one more for each message would show in the benchmark.
 */
export class Encodings implements EncodedPacket {
  readonly type = 0;
  readonly bytes: Uint8Array;
  readonly packetIdOffset: number;
  packetId = 0;
  readonly #publication: IncomingPublication;
  readonly #receivedShape: number;
  #others: (EncodedPacket | undefined)[] | undefined = undefined;

  /** `received`: the whole packet that the publication came in, if that may be sent on as it is. */
  constructor(publication: IncomingPublication, received?: Uint8Array, version: ProtocolVersion = 4) {
    this.#publication = publication;
    this.bytes = received ?? NONE;
    this.packetIdOffset = received === undefined || publication.qos === 0 ? 0 : packetIdOffset(received);
    this.#receivedShape = received === undefined ? -1 : shapeOf(version, publication.qos, publication.retain);
  }

  get(version: ProtocolVersion, qos: QoS, retain: boolean): EncodedPacket {
    const shape = shapeOf(version, qos, retain);
    if (shape === this.#receivedShape) {
      return this;
    }
    this.#others ??= [];
    let encoded = this.#others[shape];
    if (encoded === undefined) {
      encoded = this.#encode(version, qos, retain);
      this.#others[shape] = encoded;
    }
    return encoded;
  }

  #encode(version: ProtocolVersion, qos: QoS, retain: boolean): EncodedPacket {
    const { topic, payload, properties } = this.#publication;
    const bytes = encodePublish(
      {
        type: PacketType.PUBLISH,
        topic,
        payload,
        qos,
        retain,
        dup: false,
        // Another for each receiver.
        packetId: qos === 0 ? 0 : 1,
        properties: version === 5 ? properties : undefined,
      },
      version,
    );
    return { type: 0, bytes, packetIdOffset: packetIdOffset(bytes), packetId: 0 };
  }
}

const NONE = new Uint8Array();

/** MQTT 3.1 and 3.1.1 have the same PUBLISH. */
function shapeOf(version: ProtocolVersion, qos: QoS, retain: boolean): number {
  return (version === 5 ? 6 : 0) + qos * 2 + (retain ? 1 : 0);
}
