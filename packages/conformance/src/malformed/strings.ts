import type { MqttVersion } from "../case.ts";
import type { Property } from "../wire/index.ts";
import * as wire from "../wire/index.ts";
import { bytes, concat, utf8 } from "../wire/index.ts";
import type { MalformedPacket, MalformedVariant, Names } from "./types.ts";

type Build = (text: Uint8Array, version: MqttVersion, names: Names) => Uint8Array;

interface Place {
  readonly id: string;
  readonly name: string;
  /** The statement that makes this field a UTF-8 string. */
  readonly v3?: readonly string[];
  readonly v5?: readonly string[];
  readonly isFirst?: true;
  readonly isTopic?: true;
  readonly build: Build;
}

/** Bytes that are not UTF-8, or code points that MQTT forbids (1.5.3 in 3.1.1, 1.5.4 in 5.0). */
const ILL_FORMED: readonly { name: string; bytes: Uint8Array }[] = [
  { name: "a byte FF", bytes: bytes(0xff) },
  { name: "an overlong form", bytes: bytes(0xc1, 0x81) },
  { name: "an overlong U+0000", bytes: bytes(0xc0, 0x80) },
  { name: "a high surrogate", bytes: bytes(0xed, 0xa0, 0x80) },
  { name: "a low surrogate", bytes: bytes(0xed, 0xbf, 0xbf) },
  { name: "a surrogate pair", bytes: bytes(0xed, 0xa0, 0x81, 0xed, 0xb0, 0x80) },
  { name: "a truncated sequence", bytes: bytes(0xe2, 0x82) },
  { name: "a code point above U+10FFFF", bytes: bytes(0xf4, 0x90, 0x80, 0x80) },
];

const PLACES: readonly Place[] = [
  {
    id: "topic-name",
    name: "Topic Name",
    v3: ["3.3.2-1"],
    v5: ["3.3.2-1"],
    isTopic: true,
    build: (text, version) => wire.publish(version, { topic: text }),
  },
  {
    id: "subscribe-filter",
    name: "Topic Filter of a SUBSCRIBE",
    v3: ["3.8.3-1"],
    v5: ["3.8.3-1"],
    isTopic: true,
    build: (text, version) => wire.subscribe(version, 1, [[text, 0]]),
  },
  {
    id: "unsubscribe-filter",
    name: "Topic Filter of an UNSUBSCRIBE",
    v3: ["3.10.3-1"],
    v5: ["3.10.3-1"],
    isTopic: true,
    build: (text, version) => wire.unsubscribe(version, 1, [text]),
  },
  {
    id: "client-id",
    name: "client identifier",
    v3: ["3.1.3-4"],
    v5: ["3.1.3-4"],
    isFirst: true,
    build: (text, version) => wire.connect(version, { clientId: text }),
  },
  {
    id: "will-topic",
    name: "Will Topic",
    v3: ["3.1.3-10"],
    v5: ["3.1.3-11"],
    isFirst: true,
    build: (text, version, { clientId }) => wire.connect(version, { clientId, will: { topic: text } }),
  },
  {
    id: "user-name",
    name: "User Name",
    v3: ["3.1.3-11"],
    v5: ["3.1.3-12"],
    isFirst: true,
    build: (text, version, { clientId }) => wire.connect(version, { clientId, username: text }),
  },
  inPublish("content-type", "Content Type", ["3.3.2-19"], (text) => ["contentType", text]),
  inPublish("response-topic", "Response Topic", ["3.3.2-13"], (text) => ["responseTopic", text]),
  inPublish("user-property-name", "User Property name", ["1.5.7-1"], (text) => ["userProperty", text, "value"]),
  inPublish("user-property-value", "User Property value", ["1.5.7-1"], (text) => ["userProperty", "name", text]),
];

/** Every string field of a client's packets, with ill-formed UTF-8 and with U+0000 in it. */
export const MALFORMED_STRINGS: readonly MalformedPacket[] = PLACES.flatMap((place) => [illFormed(place), nul(place)]);

function illFormed(place: Place): MalformedPacket {
  return {
    ...common(place, ["1.5.3-1"], ["1.5.4-1"]),
    id: `${place.id}-utf8`,
    fault: `ill-formed UTF-8 in the ${place.name}`,
    variants: (version, names) => ILL_FORMED.map((fault) => variant(place, fault, version, names)),
  };
}

function nul(place: Place): MalformedPacket {
  const topic = place.isTopic === true ? ["4.7.3-2"] : [];
  return {
    ...common(place, ["1.5.3-2", ...topic], ["1.5.4-2", ...topic]),
    id: `${place.id}-nul`,
    fault: `U+0000 in the ${place.name}`,
    variants: (version, names) => [variant(place, { name: "U+0000", bytes: bytes(0) }, version, names)],
  };
}

function common(
  place: Place,
  v3: readonly string[],
  v5: readonly string[],
): Omit<MalformedPacket, "id" | "fault" | "variants"> {
  return {
    ...(place.v3 === undefined ? {} : { v3: [...v3, ...place.v3] }),
    ...(place.v5 === undefined ? {} : { v5: [...v5, ...place.v5] }),
    ...(place.isFirst === undefined ? {} : { isFirst: place.isFirst }),
  };
}

/** The fault inside an otherwise good string. */
function variant(
  place: Place,
  fault: { name: string; bytes: Uint8Array },
  version: MqttVersion,
  names: Names,
): MalformedVariant {
  const text = concat(utf8("a"), fault.bytes, utf8("b"));
  return { name: fault.name, bytes: place.build(text, version, names) };
}

function inPublish(id: string, name: string, v5: readonly string[], property: (text: Uint8Array) => Property): Place {
  return {
    id,
    name,
    v5,
    build: (text, version, { topic }) => wire.publish(version, { topic, properties: [property(text)] }),
  };
}
