import { encode, type Packet, PacketType, type Properties, type ProtocolVersion, type QoS } from "@tidewire/codec";
import { credentials } from "../context.ts";
import { connectPacket, publishPacket } from "../peer.ts";
import type { Transport } from "../program.ts";
import { below, pick } from "../random.ts";
import { mutate } from "./mutate.ts";

/** What one connection sends, from its beginning to its end, in pieces. */
export interface Life {
  readonly transport: Transport;
  readonly version: ProtocolVersion;
  /** Whether its CONNECT is as it should be, so that what comes back can be read. */
  readonly isReadable: boolean;
  readonly pieces: readonly Buffer[];
}

type Random = () => number;

const TRANSPORTS: readonly Transport[] = ["tcp", "tcp", "tls", "ws", "ws", "wss"];
/** A few names for many, so that sessions are taken over while they work. */
const CLIENT_IDS = ["", "fuzz-1", "fuzz-2", "fuzz-3", "fuzz-4", "fuzz-5", "fuzz/6", "fuzz#7"];
const TOPICS = [
  "own/mallory/a",
  "own/mallory/b/c",
  "news/open",
  "private/x",
  "device/fuzz-1/y",
  "$SYS/x",
  "a//b",
  "ä/ö",
];
const FILTERS = [...TOPICS, "#", "+/#", "own/mallory/+", "own/+/b/#", "$share/g/own/mallory/#", "$share/h/#", "$SYS/#"];

/** Valid traffic of one client, some of it mutated; the same for the same random numbers. */
export function life(random: Random): Life {
  const version = pick([3, 4, 5, 5, 5] as const, random);
  const isReadable = random() < 0.9;
  const opening = Buffer.from(encode(connect(version, random), version));
  const packets = [isReadable ? opening : mutate(opening, random)];
  const hostility = pick([0, 0.02, 0.1, 0.5], random);
  for (let count = below(40, random); count > 0; count -= 1) {
    const bytes = Buffer.from(encode(request(version, random), version));
    packets.push(random() < hostility ? mutate(bytes, random) : bytes);
  }
  return { transport: pick(TRANSPORTS, random), version, isReadable, pieces: cut(packets, random) };
}

function connect(version: ProtocolVersion, random: Random): Packet {
  const cleanStart = version === 3 ? true : random() < 0.4;
  const clientId = cleanStart && version !== 3 ? pick(CLIENT_IDS, random) : pick(CLIENT_IDS.slice(1), random);
  const will = {
    topic: pick(TOPICS.slice(0, 2), random),
    payload: Buffer.from("gone"),
    qos: qos(random),
    retain: random() < 0.3,
    properties: version === 5 ? some({ willDelayInterval: below(3, random) }, random) : undefined,
  };
  return connectPacket({
    version,
    clientId,
    cleanStart,
    keepAlive: pick([0, 1, 60], random),
    ...credentials(pick(["mallory", "mallory", "bob"] as const, random)),
    will: random() < 0.3 ? will : undefined,
    properties: version === 5 ? connectProperties(random) : undefined,
  });
}

function connectProperties(random: Random): Properties {
  return {
    ...some({ sessionExpiryInterval: pick([0, 1, 60], random) }, random),
    ...some({ receiveMaximum: pick([1, 2, 100], random) }, random),
    ...some({ maximumPacketSize: pick([20, 100, 1000], random) }, random, 0.1),
    ...some({ topicAliasMaximum: pick([0, 1, 10], random) }, random),
  };
}

/** Identifiers from a small range: some are in use. */
function request(version: ProtocolVersion, random: Random): Packet {
  const packetId = below(12, random) + 1;
  const properties = undefined;
  const reasonCode = version === 5 && random() < 0.2 ? pick([0x10, 0x80, 0x92], random) : 0;
  switch (below(10, random)) {
    case 0: {
      const subscriptions = Array.from({ length: below(4, random) + 1 }, () => ({
        filter: pick(FILTERS, random),
        qos: qos(random),
        noLocal: false,
        retainAsPublished: version === 5 && random() < 0.3,
        retainHandling: version === 5 ? pick([0, 1, 2] as const, random) : (0 as const),
      }));
      const identifier = some({ subscriptionIdentifiers: [below(9, random) + 1] }, random, 0.3);
      return {
        type: PacketType.SUBSCRIBE,
        packetId,
        subscriptions,
        properties: version === 5 ? identifier : undefined,
      };
    }
    case 1:
      return { type: PacketType.UNSUBSCRIBE, packetId, filters: [pick(FILTERS, random)], properties };
    case 2:
      return { type: PacketType.PINGREQ };
    case 3:
      return { type: PacketType.PUBACK, packetId, reasonCode: reasonCode === 0x92 ? 0x80 : reasonCode, properties };
    case 4:
      return { type: PacketType.PUBREC, packetId, reasonCode: reasonCode === 0x92 ? 0x80 : reasonCode, properties };
    case 5:
      return { type: PacketType.PUBREL, packetId, reasonCode: reasonCode === 0 ? 0 : 0x92, properties };
    case 6:
      return { type: PacketType.PUBCOMP, packetId, reasonCode: reasonCode === 0 ? 0 : 0x92, properties };
    case 7:
      return random() < 0.1 ? { type: PacketType.DISCONNECT, reasonCode: 0, properties } : { type: PacketType.PINGREQ };
    default:
      return publish(version, packetId, random);
  }
}

function publish(version: ProtocolVersion, packetId: number, random: Random): Packet {
  const level = qos(random);
  const payload = "p".repeat(pick([0, 1, 30, 30, 2000], random));
  const properties: Properties = {
    ...some({ messageExpiryInterval: below(3, random) }, random, 0.2),
    ...some({ userProperties: [["k", "v"]] }, random, 0.2),
    ...some({ topicAlias: below(4, random) + 1 }, random, 0.2),
    ...some({ responseTopic: "r", correlationData: Buffer.from("c") }, random, 0.1),
  };
  return publishPacket(pick(TOPICS, random), payload, {
    qos: level,
    retain: random() < 0.2,
    dup: level > 0 && random() < 0.2,
    packetId: level > 0 ? packetId : 0,
    properties: version === 5 ? properties : undefined,
  });
}

function qos(random: Random): QoS {
  return pick([0, 1, 2] as const, random);
}

/** The properties, or none of them. */
function some<T extends Properties>(properties: T, random: Random, share = 0.5): Partial<T> {
  return random() < share ? properties : {};
}

/** Packets as the network hands them on: several at once, or in parts. */
function cut(packets: readonly Buffer[], random: Random): readonly Buffer[] {
  const [first, ...rest] = packets;
  const pieces: Buffer[] = [first!];
  let joined = Buffer.concat(rest);
  while (joined.length > 0) {
    const length = random() < 0.7 ? below(60, random) + 1 : below(joined.length, random) + 1;
    pieces.push(joined.subarray(0, length));
    joined = joined.subarray(length);
  }
  return pieces;
}
