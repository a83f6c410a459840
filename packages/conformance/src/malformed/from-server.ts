import * as wire from "../wire/index.ts";
import { bytes, concat, field, Type, uint16, utf8 } from "../wire/index.ts";
import { withFlags } from "./fixed-header.ts";
import { type MalformedPacket, only } from "./types.ts";

const five = (version: string): Uint8Array => (version === "5.0" ? bytes(0) : bytes());

/** Everything a server may not put on the wire, as far as it differs from what a client may not. */
export const MALFORMED_FROM_SERVER: readonly MalformedPacket[] = [
  {
    id: "server-topic-utf8",
    fault: "ill-formed UTF-8 in the Topic Name",
    v3: ["1.5.3-1", "3.3.2-1"],
    v5: ["1.5.4-1", "3.3.2-1"],
    variants: (version) => [
      { name: "a byte FF", bytes: wire.publish(version, { topic: concat(utf8("a"), bytes(0xff)) }) },
      { name: "a surrogate", bytes: wire.publish(version, { topic: bytes(0xed, 0xa0, 0x80) }) },
    ],
  },
  {
    id: "server-topic-nul",
    fault: "U+0000 in the Topic Name",
    v3: ["1.5.3-2", "4.7.3-2"],
    v5: ["1.5.4-2", "4.7.3-2"],
    variants: (version) => only(wire.publish(version, { topic: "a\0b" })),
  },
  {
    id: "server-topic-wildcard",
    fault: "a wildcard in the Topic Name",
    v3: ["3.3.2-2", "4.7.1-1"],
    v5: ["3.3.2-2", "4.7.0-1"],
    variants: (version) => ["a/#", "+"].map((topic) => ({ name: topic, bytes: wire.publish(version, { topic }) })),
  },
  {
    id: "server-publish-qos-3",
    fault: "PUBLISH with both QoS bits set",
    v3: ["3.3.1-4"],
    v5: ["3.3.1-4"],
    variants: (version) => only(wire.publish(version, { topic: "t", qos: 3, packetId: 1 })),
  },
  {
    id: "server-packet-id-0",
    fault: "the packet identifier 0",
    v3: ["2.3.1-1"],
    v5: ["2.2.1-4"],
    variants: (version) => only(wire.publish(version, { topic: "t", qos: 1, packetId: 0 })),
  },
  {
    id: "server-flags",
    fault: "reserved fixed header flags",
    v3: ["2.2.2-1", "2.2.2-2"],
    v5: ["2.1.3-1"],
    variants: (version) => [
      { name: "PINGRESP", bytes: withFlags(wire.pingresp(), 1) },
      { name: "PUBACK", bytes: withFlags(wire.ack(Type.PUBACK, 1), 2) },
      { name: "SUBACK", bytes: withFlags(wire.suback(version, 1, [0]), 4) },
    ],
  },
  {
    id: "server-pubrel-flags",
    fault: "PUBREL with fixed header flags other than 0010",
    v3: ["3.6.1-1"],
    v5: ["3.6.1-1"],
    variants: () => only(withFlags(wire.ack(Type.PUBREL, 1), 0)),
  },
  {
    id: "server-suback-code",
    fault: "SUBACK with a code that does not exist there",
    v3: ["3.9.3-2"],
    v5: ["3.9.3-2"],
    variants: (version) => only(wire.suback(version, 1, [3])),
  },
  {
    id: "server-connack-flags",
    fault: "reserved bits in the Connect Acknowledge Flags",
    v3: ["3.2.2-1"],
    v5: ["3.2.2-1"],
    isFirst: true,
    variants: (version) => only(wire.packet(0x20, bytes(2, 0), five(version))),
  },
  {
    id: "server-connack-reason",
    fault: "CONNACK with a reason code that does not exist there",
    v5: ["3.2.2-8"],
    isFirst: true,
    variants: () => only(wire.connack("5.0", 0x05)),
  },
  {
    id: "server-disconnect-reason",
    fault: "DISCONNECT with a reason code that is the client's alone",
    v5: ["3.14.2-1"],
    needsState: true,
    variants: () => only(wire.disconnect(0x04)),
  },
  {
    id: "server-client-packets",
    fault: "a packet that only clients send",
    v3: ["4.8.0-1"],
    v5: ["4.13.1-1"],
    needsState: true,
    variants: (version) => [
      { name: "PINGREQ", bytes: wire.pingreq() },
      { name: "SUBSCRIBE", bytes: wire.subscribe(version, 1, [["t", 0]]) },
      { name: "CONNECT", bytes: wire.connect(version, { clientId: "server" }) },
    ],
  },
  {
    id: "server-type-0",
    fault: "the reserved packet type 0",
    v3: ["4.8.0-1"],
    v5: ["4.13.1-1"],
    variants: () => only(bytes(0, 0)),
  },
  {
    id: "server-topic-alias-0",
    fault: "a Topic Alias of 0",
    v5: ["3.3.2-8"],
    variants: () => only(wire.publish("5.0", { topic: "t", properties: [["topicAlias", 0]] })),
  },
  {
    id: "server-properties",
    fault: "properties that are repeated, misplaced or out of range",
    v5: [],
    variants: () => [
      {
        name: "Content Type twice",
        bytes: wire.publish("5.0", {
          topic: "t",
          properties: [
            ["contentType", "a"],
            ["contentType", "b"],
          ],
        }),
      },
      {
        name: "Receive Maximum in PUBLISH",
        bytes: wire.publish("5.0", { topic: "t", properties: [["receiveMaximum", 5]] }),
      },
      {
        name: "Payload Format Indicator 2",
        bytes: wire.publish("5.0", { topic: "t", properties: [["payloadFormatIndicator", 2]] }),
      },
      {
        name: "Subscription Identifier 0",
        bytes: wire.publish("5.0", { topic: "t", properties: [["subscriptionIdentifier", 0]] }),
      },
    ],
  },
  {
    id: "server-connack-properties",
    fault: "CONNACK properties that are repeated, misplaced or out of range",
    v5: [],
    isFirst: true,
    variants: () => [
      { name: "Receive Maximum 0", bytes: wire.connack("5.0", 0, false, [["receiveMaximum", 0]]) },
      { name: "Maximum QoS 2", bytes: wire.connack("5.0", 0, false, [["maximumQoS", 2]]) },
      {
        name: "Server Keep Alive twice",
        bytes: wire.connack("5.0", 0, false, [
          ["serverKeepAlive", 1],
          ["serverKeepAlive", 1],
        ]),
      },
      { name: "Topic Alias", bytes: wire.connack("5.0", 0, false, [["topicAlias", 1]]) },
    ],
  },
  {
    id: "server-property-length",
    fault: "a Property Length that is left out or does not fit",
    v5: ["2.2.2-1"],
    variants: () => [
      { name: "left out of a PUBLISH", bytes: wire.packet(0x30, field("t")) },
      { name: "past the end of a SUBACK", bytes: wire.packet(0x90, uint16(1), bytes(9, 0)) },
    ],
  },
];
