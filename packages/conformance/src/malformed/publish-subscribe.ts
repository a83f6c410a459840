import * as wire from "../wire/index.ts";
import { bytes, field, Type, uint16 } from "../wire/index.ts";
import { type MalformedPacket, type MalformedVariant, only } from "./types.ts";

/** PUBLISH, SUBSCRIBE and UNSUBSCRIBE packets a client may not send (3.3, 3.8, 3.10, 4.7, 4.8). */
export const MALFORMED_MESSAGES: readonly MalformedPacket[] = [
  {
    id: "publish-qos-3",
    fault: "PUBLISH with both QoS bits set",
    v3: ["3.3.1-4"],
    v5: ["3.3.1-4"],
    variants: (version, { topic }) => only(wire.publish(version, { topic, qos: 3, packetId: 1 })),
  },
  {
    id: "publish-wildcard",
    fault: "a wildcard in the Topic Name",
    v3: ["3.3.2-2", "4.7.1-1"],
    v5: ["3.3.2-2", "4.7.0-1"],
    variants: (version, { topic }) =>
      ["#", "+", `${topic}/#`, `${topic}/+`, `${topic}/a+b`, `${topic}#`].map((text) => ({
        name: text,
        bytes: wire.publish(version, { topic: text }),
      })),
  },
  {
    id: "publish-empty-topic",
    fault: "an empty Topic Name and no alias",
    v3: ["4.7.3-1"],
    v5: ["4.7.3-1"],
    variants: (version) => only(wire.publish(version, { topic: "" })),
  },
  {
    id: "packet-id-0",
    fault: "the packet identifier 0",
    v3: ["2.3.1-1"],
    v5: ["2.2.1-3"],
    variants: (version, { topic }) => [
      { name: "PUBLISH QoS 1", bytes: wire.publish(version, { topic, qos: 1, packetId: 0 }) },
      { name: "PUBLISH QoS 2", bytes: wire.publish(version, { topic, qos: 2, packetId: 0 }) },
      { name: "SUBSCRIBE", bytes: wire.subscribe(version, 0, [[topic, 0]]) },
      { name: "UNSUBSCRIBE", bytes: wire.unsubscribe(version, 0, [topic]) },
    ],
  },
  {
    id: "subscribe-empty",
    fault: "SUBSCRIBE without a filter",
    v3: ["3.8.3-3"],
    v5: ["3.8.3-2"],
    variants: (version) => only(wire.subscribe(version, 1, [])),
  },
  {
    id: "unsubscribe-empty",
    fault: "UNSUBSCRIBE without a filter",
    v3: ["3.10.3-2"],
    v5: ["3.10.3-2"],
    variants: (version) => only(wire.unsubscribe(version, 1, [])),
  },
  {
    id: "subscribe-reserved-options",
    fault: "reserved bits in the subscription options",
    v3: ["3.8.3-4"],
    v5: ["3.8.3-5"],
    variants: (version, { topic }) =>
      (version === "5.0" ? [0x40, 0x80, 0xc1] : [0x04, 0x08, 0x10, 0x20, 0x40, 0x80]).map((options) => ({
        name: `options 0x${options.toString(16)}`,
        bytes: wire.subscribe(version, 1, [[topic, options]]),
      })),
  },
  {
    id: "subscribe-qos-3",
    fault: "a requested QoS of 3",
    v3: ["3.8.3-4"],
    v5: [],
    variants: (version, { topic }) => only(wire.subscribe(version, 1, [[topic, 3]])),
  },
  {
    id: "subscribe-retain-handling-3",
    fault: "a Retain Handling of 3",
    v5: [],
    variants: (version, { topic }) => only(wire.subscribe(version, 1, [[topic, 0x30]])),
  },
  {
    id: "subscribe-options-missing",
    fault: "a filter without its options byte",
    v3: ["3.8.3-3"],
    v5: ["3.8.3-2"],
    variants: (version, { topic }) =>
      only(wire.packet(0x82, uint16(1), version === "5.0" ? bytes(0) : bytes(), field(topic))),
  },
  filters("filter-empty", "an empty Topic Filter", ["4.7.3-1"], ["4.7.3-1"], () => [""]),
  filters("filter-hash", "# elsewhere than alone on the last level", ["4.7.1-2"], ["4.7.1-1"], (topic) => [
    `${topic}/#/a`,
    `${topic}#`,
    `${topic}/a#`,
    "#/",
    "##",
  ]),
  filters("filter-plus", "+ together with other characters on a level", ["4.7.1-3"], ["4.7.1-2"], (topic) => [
    `${topic}+`,
    `${topic}/+a`,
    `${topic}/a+/b`,
    "++",
    "+#",
  ]),
  filters("share-name", "a shared subscription with a bad ShareName", undefined, ["4.8.2-1", "4.8.2-2"], (topic) => [
    `$share//${topic}`,
    `$share/a+b/${topic}`,
    `$share/a#/${topic}`,
    `$share/+/${topic}`,
  ]),
  filters("share-filter", "a shared subscription without a filter", undefined, ["4.8.2-2"], () => [
    "$share/group",
    "$share/group/",
  ]),
  {
    id: "share-no-local",
    fault: "No Local on a shared subscription",
    v5: ["3.8.3-4"],
    variants: (version, { topic }) => only(wire.subscribe(version, 1, [[`$share/group/${topic}`, 0x04]])),
  },
  {
    id: "subscription-identifier-0",
    fault: "a Subscription Identifier of 0",
    v5: [],
    variants: (version, { topic }) => only(wire.subscribe(version, 1, [[topic, 0]], [["subscriptionIdentifier", 0]])),
  },
  {
    id: "topic-alias-0",
    fault: "a Topic Alias of 0",
    v5: ["3.3.2-8"],
    variants: (version, { topic }) => only(wire.publish(version, { topic, properties: [["topicAlias", 0]] })),
  },
  {
    id: "topic-alias-unknown",
    fault: "an empty topic and a Topic Alias that was never set",
    v5: ["3.3.2-7"],
    needsState: true,
    variants: (version) => only(wire.publish(version, { topic: "", properties: [["topicAlias", 1]] })),
  },
  {
    id: "response-topic-wildcard",
    fault: "a wildcard in the Response Topic",
    v5: ["3.3.2-14"],
    variants: (version, { topic }) =>
      ["reply/#", "reply/+", "+"].map((text) => ({
        name: text,
        bytes: wire.publish(version, { topic, properties: [["responseTopic", text]] }),
      })),
  },
  reasonCodes("puback", Type.PUBACK, ["3.4.2-1"]),
  reasonCodes("pubrec", Type.PUBREC, ["3.5.2-1"]),
  reasonCodes("pubrel", Type.PUBREL, ["3.6.2-1"]),
  reasonCodes("pubcomp", Type.PUBCOMP, ["3.7.2-1"]),
  {
    id: "disconnect-reason",
    fault: "DISCONNECT with a reason code that does not exist there",
    v5: ["3.14.2-1"],
    variants: () => [0x01, 0x03, 0x10, 0x85, 0xff].map((code) => named(code, wire.disconnect(code))),
  },
  {
    id: "auth-reason",
    fault: "AUTH with a reason code that does not exist there",
    v5: ["3.15.2-1"],
    variants: () => [0x01, 0x17, 0x80].map((code) => named(code, wire.auth(code, [["authenticationMethod", "none"]]))),
  },
];

function filters(
  id: string,
  fault: string,
  v3: readonly string[] | undefined,
  v5: readonly string[],
  list: (topic: string) => readonly string[],
): MalformedPacket {
  return {
    id,
    fault,
    ...(v3 === undefined ? {} : { v3 }),
    v5,
    mayRefuse: true,
    variants: (version, { topic }) =>
      list(topic).map((filter) => ({ name: `"${filter}"`, bytes: wire.subscribe(version, 1, [[filter, 0]]) })),
  };
}

function reasonCodes(
  id: string,
  type: typeof Type.PUBACK | typeof Type.PUBREC | typeof Type.PUBREL | typeof Type.PUBCOMP,
  v5: readonly string[],
): MalformedPacket {
  return {
    id: `${id}-reason`,
    fault: `${id.toUpperCase()} with a reason code that does not exist there`,
    v5,
    variants: () => [0x01, 0x18, 0x81, 0xff].map((code) => named(code, wire.ack(type, 1, code))),
  };
}

function named(code: number, packet: Uint8Array): MalformedVariant {
  return { name: `0x${code.toString(16).padStart(2, "0")}`, bytes: packet };
}
