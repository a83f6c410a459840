import type { MqttVersion } from "../case.ts";
import * as wire from "../wire/index.ts";
import {
  bytes,
  encodeProperties,
  field,
  PROPERTY_NAMES,
  type Property,
  type PropertyName,
  Type,
  uint16,
  varint,
} from "../wire/index.ts";
import { type MalformedPacket, type MalformedVariant, type Names, only } from "./types.ts";

/** A packet of a client that carries properties, and which it may carry (MQTT 5.0, 2.2.2.2). */
interface Carrier {
  readonly id: string;
  readonly name: string;
  readonly isFirst?: true;
  readonly allowed: readonly PropertyName[];
  build(properties: readonly Property[], names: Names): Uint8Array;
}

const FIVE: MqttVersion = "5.0";
const REASON: readonly PropertyName[] = ["reasonString", "userProperty"];

const CARRIERS: readonly Carrier[] = [
  {
    id: "connect",
    name: "CONNECT",
    isFirst: true,
    allowed: [
      "sessionExpiryInterval",
      "receiveMaximum",
      "maximumPacketSize",
      "topicAliasMaximum",
      "requestResponseInformation",
      "requestProblemInformation",
      "userProperty",
      "authenticationMethod",
      "authenticationData",
    ],
    build: (properties, { clientId }) => wire.connect(FIVE, { clientId, properties }),
  },
  {
    id: "will",
    name: "will",
    isFirst: true,
    allowed: [
      "willDelayInterval",
      "payloadFormatIndicator",
      "messageExpiryInterval",
      "contentType",
      "responseTopic",
      "correlationData",
      "userProperty",
    ],
    build: (properties, { clientId, topic }) => wire.connect(FIVE, { clientId, will: { topic, properties } }),
  },
  {
    id: "publish",
    name: "PUBLISH",
    allowed: [
      "payloadFormatIndicator",
      "messageExpiryInterval",
      "topicAlias",
      "responseTopic",
      "correlationData",
      "userProperty",
      "contentType",
    ],
    build: (properties, { topic }) => wire.publish(FIVE, { topic, properties }),
  },
  ...(["PUBACK", "PUBREC", "PUBREL", "PUBCOMP"] as const).map((name) => ({
    id: name.toLowerCase(),
    name,
    allowed: REASON,
    build: (properties: readonly Property[]) => wire.ack(Type[name], 1, 0, properties),
  })),
  {
    id: "subscribe",
    name: "SUBSCRIBE",
    allowed: ["subscriptionIdentifier", "userProperty"],
    build: (properties, { topic }) => wire.subscribe(FIVE, 1, [[topic, 0]], properties),
  },
  {
    id: "unsubscribe",
    name: "UNSUBSCRIBE",
    allowed: ["userProperty"],
    build: (properties, { topic }) => wire.unsubscribe(FIVE, 1, [topic], properties),
  },
  {
    id: "disconnect",
    name: "DISCONNECT",
    allowed: ["sessionExpiryInterval", "reasonString", "userProperty", "serverReference"],
    // 0x04 so that a server that takes it for a good DISCONNECT still shows what it made of the properties.
    build: (properties) => wire.disconnect(0x04, properties),
  },
];

/** A value of each property that is right wherever the property is. */
const GOOD: Readonly<Record<PropertyName, Property>> = Object.fromEntries(
  PROPERTY_NAMES.map((name) => [name, goodValue(name)]),
) as Record<PropertyName, Property>;

/** The rules that MQTT 5 states for properties in the text, mostly without a number. */
export const MALFORMED_PROPERTIES: readonly MalformedPacket[] = [
  ...CARRIERS.map(misplaced),
  ...CARRIERS.filter(({ allowed }) => allowed.some((name) => name !== "userProperty")).map(repeated),
  {
    id: "publish-subscription-identifier",
    fault: "a Subscription Identifier in a client's PUBLISH",
    v5: ["3.3.4-6"],
    needsState: true,
    variants: (_version, { topic }) => only(wire.publish(FIVE, { topic, properties: [["subscriptionIdentifier", 1]] })),
  },
  range("connect-values", "CONNECT properties out of range", true, [
    ["receiveMaximum", 0],
    ["maximumPacketSize", 0],
    ["requestResponseInformation", 2],
    ["requestProblemInformation", 2],
  ]),
  range("will-values", "will properties out of range", true, [["payloadFormatIndicator", 2]], "will"),
  range("publish-values", "PUBLISH properties out of range", false, [["payloadFormatIndicator", 2]]),
  {
    id: "authentication-data-alone",
    fault: "Authentication Data without an Authentication Method",
    v5: [],
    isFirst: true,
    variants: (_version, { clientId }) =>
      only(wire.connect(FIVE, { clientId, properties: [["authenticationData", "data"]] })),
  },
  {
    id: "property-unknown",
    fault: "a property that does not exist",
    v5: ["4.13.1-1"],
    variants: (_version, { topic }) =>
      [0x00, 0x04, 0x2b, 0x7f].map((id) => ({
        name: `identifier 0x${id.toString(16).padStart(2, "0")}`,
        bytes: wire.packet(0x30, field(topic), bytes(2, id, 0)),
      })),
  },
  {
    id: "property-length",
    fault: "a Property Length that does not fit",
    v5: ["2.2.2-1"],
    variants: (_version, { topic }) => [
      { name: "past the end of the packet", bytes: wire.packet(0x30, field(topic), varint(20), bytes(1, 0)) },
      {
        name: "inside a property",
        bytes: wire.packet(0x30, field(topic), varint(3), encodeProperties([GOOD.contentType])),
      },
      { name: "left out of a PUBLISH", bytes: wire.packet(0x30, field(topic)) },
      { name: "left out of a SUBSCRIBE", bytes: wire.packet(0x82, uint16(1), field(topic), bytes(0)) },
    ],
  },
];

function misplaced(carrier: Carrier): MalformedPacket {
  const wrong = PROPERTY_NAMES.filter((name) => !carrier.allowed.includes(name)).filter(
    (name) => !(carrier.id === "publish" && name === "subscriptionIdentifier"),
  );
  return {
    ...describe(carrier),
    id: `${carrier.id}-misplaced-property`,
    fault: `a property that a ${carrier.name} may not carry`,
    variants: (_version, names) => wrong.map((name) => built(carrier, name, [GOOD[name]], names)),
  };
}

function repeated(carrier: Carrier): MalformedPacket {
  const single = carrier.allowed.filter((name) => name !== "userProperty");
  return {
    ...describe(carrier),
    id: `${carrier.id}-repeated-property`,
    fault: `a ${carrier.name} property twice`,
    variants: (_version, names) =>
      single.map((name) => {
        // Authentication Data needs a method beside it, or it would be wrong for a second reason.
        const method = name === "authenticationData" ? [GOOD.authenticationMethod] : [];
        return built(carrier, name, [...method, GOOD[name], GOOD[name]], names);
      }),
  };
}

function range(
  id: string,
  fault: string,
  isFirst: boolean,
  values: readonly Property[],
  carrierId = isFirst ? "connect" : "publish",
): MalformedPacket {
  const carrier = CARRIERS.find((candidate) => candidate.id === carrierId);
  return {
    id,
    fault,
    v5: [],
    ...(isFirst ? { isFirst: true } : {}),
    variants: (_version, names) =>
      carrier === undefined
        ? []
        : values.map((value) => built(carrier, `${value[0]} ${String(value[1])}`, [value], names)),
  };
}

function describe(carrier: Carrier): Pick<MalformedPacket, "v5" | "isFirst"> {
  return { v5: [], ...(carrier.isFirst === undefined ? {} : { isFirst: carrier.isFirst }) };
}

function built(carrier: Carrier, name: string, properties: readonly Property[], names: Names): MalformedVariant {
  return { name, bytes: carrier.build(properties, names) };
}

function goodValue(name: PropertyName): Property {
  switch (name) {
    case "userProperty":
      return [name, "name", "value"];
    case "contentType":
    case "responseTopic":
    case "assignedClientIdentifier":
    case "authenticationMethod":
    case "responseInformation":
    case "serverReference":
    case "reasonString":
      return [name, "text"];
    case "correlationData":
    case "authenticationData":
      return [name, bytes(1, 2, 3)];
    case "maximumPacketSize":
      return [name, 65_536];
    case "sessionExpiryInterval":
      return [name, 0];
    default:
      return [name, 1];
  }
}
