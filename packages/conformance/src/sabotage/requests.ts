import type { Property, PropertyName, WirePacket } from "../wire/index.ts";
import * as wire from "../wire/index.ts";
import { expectedFlags, property, Type } from "../wire/index.ts";
import type { Saboteur } from "./proxy.ts";
import { connectWith, subscribeWith, without } from "./rewrite.ts";

const MQTT5 = { version: "5.0" } as const;
const MQTT311 = { version: "3.1.1" } as const;

/** Faults in what the server makes of a client's requests: options it ignores, and violations it lets pass. */
export const requestSaboteurs: readonly Saboteur[] = [
  ignoresInConnect("receive-maximum-ignored", "receiveMaximum", "3.3.4-9", ["4.9.0-2"]),
  ignoresInConnect("maximum-packet-size-ignored", "maximumPacketSize", "3.1.2-24", ["3.14.2-3", "3.4.2-2"]),
  ignoresInConnect("unknown-method-accepted", "authenticationMethod", "4.12.0-1", [
    "4.12.0-2",
    "4.12.0-4",
    "4.12.0-5",
    "3.2.0-1",
    "4.12.1-2",
    "3.15.2-2",
    "3.2.2-19",
    "3.14.0-1",
  ]),
  {
    ...MQTT5,
    id: "will-delay-ignored",
    fault: "publishes the will without its delay",
    breaks: "3.1.3-9",
    also: ["3.1.2-8"],
    toServer: (packet) =>
      occurrences(packet.connect?.willProperties ?? [], "willDelayInterval") === 1
        ? connectWith(packet, "5.0", ({ will, ...rest }) => ({
            ...rest,
            ...(will === undefined
              ? {}
              : { will: { ...will, properties: without(will.properties ?? [], "willDelayInterval") } }),
          }))
        : undefined,
  },
  {
    ...MQTT5,
    id: "will-retain-ignored",
    fault: "does not retain a will that asks for it",
    breaks: "3.1.2-15",
    also: ["3.2.2-13"],
    toServer: (packet) =>
      packet.connect?.willTopic === undefined
        ? undefined
        : connectWith(packet, "5.0", (options) => ({ ...options, flags: (packet.connect?.flags ?? 0) & ~0x20 })),
  },
  {
    ...MQTT311,
    id: "will-after-disconnect",
    fault: "publishes the will after DISCONNECT",
    breaks: "3.14.4-3",
    also: ["3.1.2-10", "3.1.2-8"],
    toServer: (packet, line) =>
      packet.type === Type.DISCONNECT && packet.flags === 0 && line.connect?.connect?.willTopic !== undefined
        ? []
        : undefined,
  },
  {
    ...MQTT311,
    id: "keep-alive-ignored",
    fault: "does not enforce the Keep Alive",
    breaks: "3.1.2-24",
    toServer: (packet) => connectWith(packet, "3.1.1", (options) => ({ ...options, keepAlive: 0 })),
  },
  {
    ...MQTT5,
    id: "disconnect-properties-ignored",
    fault: "ignores the Session Expiry Interval of DISCONNECT",
    breaks: "3.1.2-23",
    also: ["4.1.0-2"],
    toServer: (packet) =>
      packet.type === Type.DISCONNECT &&
      packet.problem === undefined &&
      packet.properties.length === 1 &&
      packet.reasonCode === 0
        ? [wire.disconnect(0)]
        : undefined,
  },
  ignoresOption("no-local-ignored", "ignores No Local", "3.8.3-3", (options) => options & ~0x04, ["3.8.3-4"]),
  ignoresOption("retain-as-published-ignored", "ignores Retain As Published", "3.3.1-13", (options) => options & ~0x08),
  ignoresOption("retain-handling-1-ignored", "takes Retain Handling 1 for 0", "3.3.1-10", (options) =>
    (options & 0x30) === 0x10 ? options & ~0x30 : options,
  ),
  ignoresOption("retain-handling-2-ignored", "takes Retain Handling 2 for 0", "3.3.1-11", (options) =>
    (options & 0x30) === 0x20 ? options & ~0x30 : options,
  ),
  {
    ...MQTT5,
    id: "refusal-ignored",
    fault: "takes a PUBREC with an error for a good one",
    breaks: "4.4.0-2",
    also: ["3.3.4-9", "4.8.2-6"],
    toServer: (packet) =>
      packet.type === Type.PUBREC && packet.problem === undefined && [0x83, 0x87].includes(packet.reasonCode)
        ? [wire.ack(Type.PUBREC, packet.packetId)]
        : undefined,
  },
  passes(
    MQTT5,
    "second-connect",
    "passes over a second CONNECT",
    "3.1.0-2",
    ({ type }, connected) => connected && type === Type.CONNECT,
    ["3.14.2-2"],
  ),
  passesFlags("subscribe", Type.SUBSCRIBE, "3.8.1-1"),
  passesFlags("unsubscribe", Type.UNSUBSCRIBE, "3.10.1-1"),
  passesFlags("pubrel", Type.PUBREL, "3.6.1-1"),
  passesFlags("disconnect", Type.DISCONNECT, "3.14.1-1"),
  passesFlags("auth", Type.AUTH, "3.15.1-1"),
  passes(
    MQTT311,
    "qos-3",
    "passes over a PUBLISH with both QoS bits set",
    "3.3.1-4",
    ({ type, qos }) => type === Type.PUBLISH && qos === 3,
  ),
  passes(
    MQTT311,
    "wildcard-topic",
    "passes over a PUBLISH to a wildcard",
    "3.3.2-2",
    ({ type, topic }) => type === Type.PUBLISH && /[+#]/.test(topic),
  ),
  passes(
    MQTT5,
    "topic-utf8",
    "passes over ill-formed UTF-8 in topic names",
    "1.5.4-1",
    ({ type, problem }) => type === Type.PUBLISH && problem !== undefined && /encoded|valid/i.test(problem),
    ["1.5.7-1"],
  ),
  passes(MQTT311, "nul", "passes over U+0000 in topic names and filters", "1.5.3-2", ({ topic, filters }) =>
    [topic, ...filters].some((text) => text.includes("\0")),
  ),
  passes(
    MQTT311,
    "packet-id-0",
    "passes over the packet identifier 0",
    "2.3.1-1",
    (packet) => needsId(packet) && packet.packetId === 0 && packet.problem === undefined,
  ),
  passes(
    MQTT311,
    "empty-subscribe",
    "passes over a SUBSCRIBE without filters",
    "3.8.3-3",
    ({ type, filters, problem }) => type === Type.SUBSCRIBE && filters.length === 0 && problem === undefined,
  ),
  passes(
    MQTT5,
    "reserved-options",
    "passes over reserved subscription options",
    "3.8.3-5",
    ({ type, options }) => type === Type.SUBSCRIBE && options.some((option) => (option & 0xc0) !== 0),
  ),
  passes(MQTT5, "share-no-local", "passes over No Local on a shared subscription", "3.8.3-4", ({ filters, options }) =>
    filters.some((filter, index) => filter.startsWith("$share/") && ((options[index] ?? 0) & 4) !== 0),
  ),
  passes(
    MQTT5,
    "alias-0",
    "passes over the Topic Alias 0",
    "3.3.2-8",
    (packet) => packet.type === Type.PUBLISH && property(packet, "topicAlias") === 0,
  ),
  passes(
    MQTT5,
    "alias-unknown",
    "passes over a Topic Alias that was never set",
    "3.3.2-7",
    ({ type, topic, problem }) => type === Type.PUBLISH && topic === "" && problem === undefined,
    ["4.7.3-1", "3.3.2-12", "3.14.2-2"],
  ),
  passes(MQTT5, "response-wildcard", "passes over a wildcard in the Response Topic", "3.3.2-14", (packet) =>
    /[+#]/.test(String(property(packet, "responseTopic") ?? "")),
  ),
  passes(
    MQTT5,
    "puback-reason",
    "passes over PUBACKs with a reason code that does not exist",
    "3.4.2-1",
    ({ type, reasonCode }) => type === Type.PUBACK && [0x01, 0x18, 0x81, 0xff].includes(reasonCode),
  ),
  passes(
    MQTT5,
    "client-subscription-identifier",
    "passes over a Subscription Identifier in a client's PUBLISH",
    "3.3.4-6",
    (packet) => packet.type === Type.PUBLISH && property(packet, "subscriptionIdentifier") !== undefined,
  ),
];

type VersionOnly = Pick<Saboteur, "version">;

/** A server that does nothing about packets of one kind, where it should close the connection. */
function passes(
  version: VersionOnly,
  id: string,
  fault: string,
  breaks: string,
  bad: (packet: WirePacket, connected: boolean) => boolean,
  also: readonly string[] = [],
): Saboteur {
  return {
    ...version,
    id: `passes-${id}`,
    fault,
    breaks,
    also,
    toServer: (packet, line) => (bad(packet, line.connect !== undefined) ? [] : undefined),
  };
}

function passesFlags(name: string, type: number, breaks: string): Saboteur {
  const wrong = (packet: WirePacket): boolean => packet.type === type && packet.flags !== expectedFlags(type);
  return passes(MQTT5, `${name}-flags`, `passes over ${name.toUpperCase()} with wrong flags`, breaks, wrong, [
    "2.1.3-1",
  ]);
}

function ignoresInConnect(id: string, name: PropertyName, breaks: string, also: readonly string[]): Saboteur {
  return {
    ...MQTT5,
    id,
    fault: `ignores ${name} in CONNECT`,
    breaks,
    also,
    toServer: (packet) =>
      occurrences(packet.properties, name) === 1 &&
      occurrences(packet.properties, dataOf(name)) <= 1 &&
      property(packet, name) !== 0
        ? connectWith(packet, "5.0", (options) => ({
            ...options,
            properties: without(packet.properties, name, dataOf(name)),
          }))
        : undefined,
  };
}

function ignoresOption(
  id: string,
  fault: string,
  breaks: string,
  change: (options: number) => number,
  also: readonly string[] = [],
): Saboteur {
  return {
    ...MQTT5,
    id,
    fault,
    breaks,
    also,
    toServer: (packet) =>
      packet.type === Type.SUBSCRIBE && packet.problem === undefined && packet.flags === 2
        ? subscribeWith(packet, "5.0", change)
        : undefined,
  };
}

/** Authentication Data may not stay behind without its method. */
function dataOf(name: PropertyName): PropertyName {
  return name === "authenticationMethod" ? "authenticationData" : name;
}

function occurrences(properties: readonly Property[], name: PropertyName): number {
  return properties.filter(([candidate]) => candidate === name).length;
}

function needsId({ type, qos }: WirePacket): boolean {
  return (type === Type.PUBLISH && qos > 0 && qos < 3) || type === Type.SUBSCRIBE || type === Type.UNSUBSCRIBE;
}
