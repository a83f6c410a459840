import type { MqttVersion } from "../case.ts";
import type { Property } from "../wire/index.ts";
import * as wire from "../wire/index.ts";
import { bytes, concat, Type, utf8 } from "../wire/index.ts";

/** Packets that are right, in the only encoding they have. */
export interface Sample {
  readonly id: string;
  readonly what: string;
  readonly v3?: readonly string[];
  readonly v5?: readonly string[];
  packets(version: MqttVersion): readonly Uint8Array[];
}

const TEXT = "\u00fc\u6e29\u{1f980}";
const MARKED = concat(bytes(0xef, 0xbb, 0xbf), utf8("a"), bytes(0xef, 0xbb, 0xbf));

export const WELL_FORMED: readonly Sample[] = [
  {
    id: "connect",
    what: "CONNECT in all its forms",
    v3: ["3.1.3-1", "3.1.2-9", "3.1.2-11", "3.1.2-18", "3.1.2-19", "3.1.2-20", "3.1.2-21", "3.1.3-3"],
    v5: ["3.1.3-1", "3.1.2-9", "3.1.2-11", "3.1.2-16", "3.1.2-17", "3.1.2-18", "3.1.2-19", "3.1.3-3"],
    packets: (version) => [
      wire.connect(version, { clientId: "" }),
      wire.connect(version, { clientId: TEXT, clean: false, keepAlive: 65_535 }),
      wire.connect(version, { clientId: "c", username: TEXT }),
      wire.connect(version, { clientId: "c", username: "", password: bytes(0, 255) }),
      wire.connect(version, {
        clientId: "c",
        will: { topic: TEXT, payload: "gone", qos: 2, retain: true },
        username: "u",
        password: "p",
      }),
    ],
  },
  {
    id: "password-alone",
    what: "CONNECT with a password and no user name",
    v5: ["3.1.2-19", "3.1.2-16"],
    packets: (version) => [wire.connect(version, { clientId: "c", password: "p" })],
  },
  {
    id: "connack",
    what: "CONNACK",
    v3: ["3.2.2-1"],
    v5: ["3.2.2-1", "3.2.2-8"],
    packets: (version) => [
      wire.connack(version),
      wire.connack(version, 0, true),
      wire.connack(version, version === "5.0" ? 0x87 : 5),
    ],
  },
  {
    id: "publish",
    what: "PUBLISH at every QoS, with payloads around the sizes where lengths grow",
    v3: ["2.3.1-5", "3.3.2-1", "2.3.1-1"],
    v5: ["2.2.1-2", "3.3.2-1", "2.2.1-3", "2.2.2-1", "1.5.5-1"],
    packets: (version) => [
      wire.publish(version, { topic: TEXT, payload: "x" }),
      wire.publish(version, { topic: "t", qos: 1, packetId: 65_535, dup: true }),
      wire.publish(version, { topic: "t", qos: 2, packetId: 1, retain: true }),
      ...[120, 128, 16_370, 16_384, 2_097_140, 2_097_152].map((size) =>
        wire.publish(version, { topic: "t", payload: new Uint8Array(size) }),
      ),
    ],
  },
  {
    id: "byte-order-mark",
    what: "strings with U+FEFF",
    v3: ["1.5.3-3"],
    v5: ["1.5.4-3"],
    packets: (version) => [
      wire.publish(version, { topic: MARKED }),
      wire.subscribe(version, 1, [[MARKED, 0]]),
      wire.connect(version, { clientId: MARKED }),
    ],
  },
  {
    id: "acknowledgements",
    what: "PUBACK, PUBREC, PUBREL and PUBCOMP",
    v3: ["2.2.2-1", "3.6.1-1"],
    v5: ["2.1.3-1", "3.6.1-1"],
    packets: () =>
      ([Type.PUBACK, Type.PUBREC, Type.PUBREL, Type.PUBCOMP] as const).map((type) => wire.ack(type, 0x1234)),
  },
  {
    id: "reason-codes",
    what: "every reason code of the acknowledgements",
    v5: ["3.4.2-1", "3.5.2-1", "3.6.2-1", "3.7.2-1"],
    packets: () => [
      ...([Type.PUBACK, Type.PUBREC] as const).flatMap((type) =>
        [0x10, 0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99].map((code) => wire.ack(type, 1, code)),
      ),
      ...([Type.PUBREL, Type.PUBCOMP] as const).map((type) => wire.ack(type, 1, 0x92)),
      wire.ack(Type.PUBACK, 1, 0x87, [
        ["reasonString", TEXT],
        ["userProperty", "a", "b"],
      ]),
    ],
  },
  {
    id: "subscribe",
    what: "SUBSCRIBE and UNSUBSCRIBE",
    v3: ["3.8.1-1", "3.8.3-1", "3.10.1-1", "3.10.3-1", "4.7.1-2", "4.7.1-3"],
    v5: ["3.8.1-1", "3.8.3-1", "3.10.1-1", "3.10.3-1", "4.7.1-1", "4.7.1-2", "4.8.2-1", "4.8.2-2"],
    packets: (version) => [
      wire.subscribe(version, 1, [
        ["#", 0],
        ["+", 1],
        ["a/+/b/#", 2],
        ["/", 0],
        ["a//b", 1],
      ]),
      wire.unsubscribe(version, 65_535, ["#", "+/+", TEXT]),
      ...(version === "5.0"
        ? [
            wire.subscribe(
              version,
              2,
              [
                ["a", 0x2e],
                ["b", 0x11],
              ],
              [["subscriptionIdentifier", 268_435_455]],
            ),
            wire.subscribe(version, 3, [[`$share/${TEXT}/a/#`, 2]]),
          ]
        : []),
    ],
  },
  {
    id: "subscribe-answers",
    what: "SUBACK and UNSUBACK",
    v3: ["3.9.3-2"],
    v5: ["3.9.3-2", "3.11.3-2"],
    packets: (version) =>
      version === "5.0"
        ? [
            wire.suback(version, 1, [0, 1, 2, 0x80, 0x83, 0x87, 0x8f, 0x91, 0x97, 0x9e, 0xa1, 0xa2]),
            wire.unsuback(version, 1, [0, 0x11, 0x80, 0x83, 0x87, 0x8f, 0x91]),
          ]
        : [wire.suback(version, 1, [0, 1, 2, 0x80]), wire.unsuback(version, 1, [])],
  },
  {
    id: "short-packets",
    what: "PINGREQ, PINGRESP and DISCONNECT",
    v3: ["2.2.2-1"],
    v5: ["2.1.3-1", "3.14.2-1"],
    packets: () => [wire.pingreq(), wire.pingresp(), wire.disconnect()],
  },
  {
    id: "auth",
    what: "AUTH",
    v5: ["3.15.1-1", "3.15.2-1"],
    packets: () =>
      [0x18, 0x19].map((code) =>
        wire.auth(code, [
          ["authenticationMethod", "m"],
          ["authenticationData", bytes(0)],
        ]),
      ),
  },
  {
    id: "publish-properties",
    what: "the properties of a PUBLISH, User Properties in their order",
    v5: ["3.3.2-13", "3.3.2-17", "3.3.2-18", "3.3.2-19", "1.5.7-1"],
    packets: () => {
      const properties: Property[] = [
        ["payloadFormatIndicator", 1],
        ["messageExpiryInterval", 0xffff_ffff],
        ["contentType", TEXT],
        ["responseTopic", TEXT],
        ["correlationData", bytes(0, 1, 255)],
        ["topicAlias", 65_535],
      ];
      const users: Property[] = ["b", "a", "b", ""].map((name, index) => ["userProperty", name, `${index}`]);
      return [
        ...properties.map((property) => wire.publish("5.0", { topic: "t", properties: [property] })),
        wire.publish("5.0", { topic: "t", properties: users }),
        wire.publish("5.0", {
          topic: "t",
          properties: [1, 127, 128, 16_384].map((id): Property => ["subscriptionIdentifier", id]),
        }),
      ];
    },
  },
];
