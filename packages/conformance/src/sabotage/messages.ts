import type { PropertyName, WirePacket } from "../wire/index.ts";
import * as wire from "../wire/index.ts";
import { numberProperty, property, Type } from "../wire/index.ts";
import type { Hook, Line, Saboteur } from "./proxy.ts";
import { publishWith, without } from "./rewrite.ts";

const MQTT5 = { version: "5.0" } as const;
const MQTT311 = { version: "3.1.1" } as const;

/** Faults in the messages that a server delivers. */
export const messageSaboteurs: readonly Saboteur[] = [
  loses("payload-format-lost", "payloadFormatIndicator", "3.3.2-4"),
  loses("response-topic-lost", "responseTopic", "3.3.2-15", ["3.1.3-10"]),
  loses("correlation-data-lost", "correlationData", "3.3.2-16"),
  loses("content-type-lost", "contentType", "3.3.2-20", ["3.1.3-10"]),
  {
    ...MQTT5,
    id: "user-properties-sorted",
    fault: "sorts User Properties by name",
    breaks: "3.3.2-18",
    also: ["3.1.3-10"],
    toClient: publishes((packet) => {
      const users = packet.properties.filter(([name]) => name === "userProperty");
      users.sort((a, b) => String(a[1]).localeCompare(String(b[1])));
      return [publishWith(packet, "5.0", { properties: [...without(packet.properties, "userProperty"), ...users] })];
    }),
  },
  {
    ...MQTT5,
    id: "user-properties-unique",
    fault: "keeps one User Property of each name",
    breaks: "3.3.2-17",
    also: ["3.1.3-10"],
    toClient: publishes((packet) => {
      const seen = new Map(
        packet.properties.map(
          (entry, index) => [entry[0] === "userProperty" ? String(entry[1]) : index, entry] as const,
        ),
      );
      return seen.size === packet.properties.length
        ? undefined
        : [publishWith(packet, "5.0", { properties: [...seen.values()] })];
    }),
  },
  {
    ...MQTT5,
    id: "expiry-unchanged",
    fault: "forwards the Message Expiry Interval as it came",
    breaks: "3.3.2-6",
    toServer: publishes((packet, line) => {
      const interval = property(packet, "messageExpiryInterval");
      if (interval !== undefined) {
        line.common.set(`expiry ${packet.topic}`, interval);
      }
      return undefined;
    }),
    toClient: publishes((packet, line) => {
      const interval = line.common.get(`expiry ${packet.topic}`);
      if (typeof interval !== "number" || property(packet, "messageExpiryInterval") === undefined) {
        return undefined;
      }
      const properties = without(packet.properties, "messageExpiryInterval");
      return [publishWith(packet, "5.0", { properties: [...properties, ["messageExpiryInterval", interval]] })];
    }),
  },
  {
    ...MQTT5,
    id: "expiry-ignored",
    fault: "ignores the Message Expiry Interval",
    breaks: "3.3.2-5",
    also: ["3.3.2-6"],
    toServer: publishes((packet) =>
      packet.properties.filter(([name]) => name === "messageExpiryInterval").length === 1
        ? [publishWith(packet, "5.0", { properties: without(packet.properties, "messageExpiryInterval") })]
        : undefined,
    ),
  },
  {
    ...MQTT5,
    id: "one-subscription-identifier",
    fault: "keeps the last of several Subscription Identifiers",
    breaks: "3.3.4-4",
    toClient: publishes((packet) => {
      const last = packet.properties.filter(([name]) => name === "subscriptionIdentifier").slice(-1);
      return [
        publishWith(packet, "5.0", { properties: [...without(packet.properties, "subscriptionIdentifier"), ...last] }),
      ];
    }),
  },
  {
    ...MQTT311,
    id: "payload-cut",
    fault: "cuts payloads at 65,535 bytes",
    breaks: "4.5.0-1",
    toClient: publishes((packet) => [publishWith(packet, "3.1.1", { payload: packet.payload.subarray(0, 65_535) })]),
  },
  {
    ...MQTT5,
    id: "dup-copied",
    fault: "copies the publisher's DUP",
    breaks: "3.3.1-3",
    toServer: publishes((packet, line) => {
      if (packet.dup) {
        line.common.set(`dup ${packet.topic}`, true);
      }
      return undefined;
    }),
    toClient: publishes((packet, line) =>
      packet.qos > 0 && line.common.get(`dup ${packet.topic}`) === true
        ? [publishWith(packet, "5.0", { dup: true })]
        : undefined,
    ),
  },
  {
    ...MQTT5,
    id: "redelivery-without-dup",
    fault: "sends messages again without DUP",
    breaks: "3.3.1-1",
    toClient: publishes((packet) => (packet.dup ? [publishWith(packet, "5.0", { dup: false })] : undefined)),
  },
  {
    ...MQTT311,
    id: "dup-at-qos-0",
    fault: "sets DUP at QoS 0",
    breaks: "3.3.1-2",
    also: ["4.3.1-1"],
    toClient: publishes((packet) => (packet.qos === 0 ? [publishWith(packet, "3.1.1", { dup: true })] : undefined)),
  },
  {
    ...MQTT311,
    id: "retain-kept",
    fault: "leaves RETAIN set for established subscriptions",
    breaks: "3.3.1-9",
    also: ["3.1.2-16", "3.1.2-17"],
    toServer: publishes((packet, line) => {
      if (packet.retain) {
        line.common.set(`retain ${packet.topic}`, true);
      }
      return undefined;
    }),
    toClient: publishes((packet, line) =>
      line.common.get(`retain ${packet.topic}`) === true ? [publishWith(packet, "3.1.1", { retain: true })] : undefined,
    ),
  },
  {
    ...MQTT311,
    id: "retain-cleared",
    fault: "sends retained messages without RETAIN",
    breaks: "3.3.1-8",
    also: ["3.1.2-17"],
    toClient: publishes((packet) => (packet.retain ? [publishWith(packet, "3.1.1", { retain: false })] : undefined)),
  },
  {
    ...MQTT5,
    id: "alias-not-allowed",
    fault: "uses Topic Aliases whatever the client allows",
    breaks: "3.1.2-27",
    toClient: publishes((packet, line) =>
      allowedAliases(line) === 0
        ? [publishWith(packet, "5.0", { properties: [...packet.properties, ["topicAlias", 1]] })]
        : undefined,
    ),
  },
  {
    ...MQTT5,
    id: "alias-too-high",
    fault: "uses Topic Aliases above the client's maximum",
    breaks: "3.3.2-11",
    toClient: publishes((packet, line) => {
      const maximum = allowedAliases(line);
      if (maximum === 0) {
        return undefined;
      }
      const properties = without(packet.properties, "topicAlias");
      return [publishWith(packet, "5.0", { properties: [...properties, ["topicAlias", maximum + 1]] })];
    }),
  },
  {
    ...MQTT5,
    id: "sent-again-while-connected",
    fault: "sends a single unacknowledged message again after 1.5 seconds on the same connection",
    breaks: "4.4.0-1",
    toServer: (packet, line) => {
      if (packet.type === Type.PUBACK) {
        line.memory.set("answered", true);
      }
      return undefined;
    },
    toClient: publishes((packet, line) => {
      const count = Number(line.memory.get("count") ?? 0) + 1;
      line.memory.set("count", count);
      if (packet.qos !== 1 || count > 1) {
        return undefined;
      }
      setTimeout(() => {
        if (line.memory.get("answered") === true || line.memory.get("count") !== 1) {
          return;
        }
        line.sendToClient(publishWith(packet, "5.0", { dup: true }));
      }, 1_500);
      return undefined;
    }),
  },
  {
    ...MQTT5,
    id: "topic-normalized",
    fault: "normalizes topic names",
    breaks: "4.7.3-4",
    toServer: publishes((packet) =>
      packet.problem === undefined && packet.topic.normalize("NFC") !== packet.topic
        ? [publishWith(packet, "5.0", { topic: packet.topic.normalize("NFC") })]
        : undefined,
    ),
  },
  {
    ...MQTT311,
    id: "byte-order-mark-dropped",
    fault: "drops U+FEFF from topic names",
    breaks: "1.5.3-3",
    toServer: publishes((packet) =>
      packet.topic.includes("\ufeff")
        ? [publishWith(packet, "3.1.1", { topic: packet.topic.replaceAll("\ufeff", "") })]
        : undefined,
    ),
  },
  {
    ...MQTT311,
    id: "qos-2-repeat-delivered",
    fault: "delivers a repeated QoS 2 PUBLISH again",
    breaks: "4.3.3-2",
    toServer: (packet, line) => {
      if (packet.type === Type.PUBREL) {
        line.common.delete(`${line.connect?.connect?.clientId} ${packet.packetId}`);
      }
      if (packet.type !== Type.PUBLISH || packet.qos !== 2) {
        return undefined;
      }
      const key = `${line.connect?.connect?.clientId} ${packet.packetId}`;
      const repeated = line.common.has(key);
      line.common.set(key, true);
      const { topic, payload } = packet;
      return repeated ? [packet.bytes, wire.publish("3.1.1", { topic, payload })] : undefined;
    },
  },
  {
    ...MQTT5,
    id: "dup-taken-for-old",
    fault: "takes a PUBLISH with DUP under an acknowledged identifier for the old message",
    breaks: "4.3.2-5",
    toServer: publishes((packet, line) => {
      if (packet.qos !== 1) {
        return undefined;
      }
      const known = line.memory.has(`id ${packet.packetId}`);
      line.memory.set(`id ${packet.packetId}`, true);
      if (!known || !packet.dup) {
        return undefined;
      }
      line.sendToClient(wire.ack(Type.PUBACK, packet.packetId));
      return [];
    }),
  },
];

function publishes(change: (packet: WirePacket, line: Line) => readonly Uint8Array[] | undefined): Hook {
  return (packet, line) => (packet.type === Type.PUBLISH ? change(packet, line) : undefined);
}

function loses(id: string, name: PropertyName, statement: string, also: readonly string[] = []): Saboteur {
  return {
    ...MQTT5,
    id,
    fault: `forwards messages without ${name}`,
    breaks: statement,
    also,
    toClient: publishes((packet) => [publishWith(packet, "5.0", { properties: without(packet.properties, name) })]),
  };
}

function allowedAliases(line: Line): number {
  return line.connect === undefined ? 0 : numberProperty(line.connect, "topicAliasMaximum", 0);
}
