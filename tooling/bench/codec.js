// Encoding and decoding against mqtt-packet and u8-mqtt-packet, side by side in one process.
// Topics change from packet to packet except where a row says otherwise: a decoder that remembers the last one gains
// nothing from that here.

import { createDecoder, createPacketWriter, encode } from "@tidewire/codec";
import mqttPacket from "mqtt-packet";
import * as u8 from "u8-mqtt-packet";
import { row, takeTurns } from "./measure.js";

const CHUNK = 65_536;
/** Packets between two takes of the writer: one turn of a busy connection. */
const TURN = 128;

export function run() {
  const rows = [];
  for (const subject of subjects()) {
    rows.push(...encodeRows(subject));
    for (const [chunking, size] of chunkings(subject)) {
      rows.push(...decodeRows(subject, chunking, size));
    }
  }
  return rows;
}

function subjects() {
  const topics = Array.from({ length: 16 }, (_, i) => `site/berlin/line-4/sensor-${10 + i}a`);
  const payload = Buffer.alloc(64, 0x61);
  const publish = (topic, more) => ({ topic, payload, qos: 0, retain: false, dup: false, packetId: 0, ...more });
  const properties = { messageExpiryInterval: 3600, contentType: "application/json", responseTopic: "reply/to/this" };
  const filters = Array.from({ length: 10 }, (_, i) => `site/berlin/line-${i}/+/status`);
  const connect = { bridge: false, clientId: "device-0123456789", cleanStart: true, keepAlive: 60, username: "user" };
  return [
    subject(
      "PUBLISH QoS 0",
      4,
      topics.map((topic) => ({ type: 3, ...publish(topic), properties: undefined })),
      true,
    ),
    subject(
      "PUBLISH QoS 1",
      4,
      topics.map((topic, i) => ({ type: 3, ...publish(topic, { qos: 1, packetId: i + 1 }), properties: undefined })),
      true,
    ),
    subject("PUBLISH QoS 1, same topic", 4, [
      { type: 3, ...publish(topics[0], { qos: 1, packetId: 7 }), properties: undefined },
    ]),
    subject(
      "MQTT 5 PUBLISH QoS 1, 3 properties",
      5,
      topics.map((topic, i) => ({ type: 3, ...publish(topic, { qos: 1, packetId: i + 1 }), properties })),
      true,
    ),
    subject("PUBACK", 4, [{ type: 4, packetId: 777, reasonCode: 0, properties: undefined }], true),
    subject("CONNECT", 4, [
      { type: 1, version: 4, ...connect, will: undefined, password: Buffer.from("secret"), properties: undefined },
    ]),
    subject("SUBSCRIBE, 10 filters", 4, [
      {
        type: 8,
        packetId: 9,
        subscriptions: filters.map((filter) => ({
          filter,
          qos: 1,
          noLocal: false,
          retainAsPublished: false,
          retainHandling: 0,
        })),
        properties: undefined,
      },
    ]),
    subject(
      "PUBLISH QoS 0, 64 KiB payload",
      4,
      topics.map((topic) => ({
        type: 3,
        ...publish(topic, { payload: Buffer.alloc(65_536, 0x61) }),
        properties: undefined,
      })),
    ),
  ];
}

/** `bytewise`: whether decoding byte by byte is measured as well. */
function subject(name, version, packets, bytewise = false) {
  return { name, version, packets, bytewise, wire: packets.map((packet) => Buffer.from(encode(packet, version))) };
}

function chunkings({ wire, bytewise }) {
  const all = [
    ["64 KiB chunks", CHUNK],
    ["one packet a chunk", 0],
  ];
  if (bytewise && wire[0].length < 1000) {
    all.push(["byte by byte", 1]);
  }
  return all;
}

function encodeRows({ name, version, packets }) {
  const theirs = packets.map((packet) => toMqttPacket(packet, version));
  const u8Packets = packets.map((packet) => toU8(packet, version));
  const u8Context = u8.mqtt_pkt_ctx(version, u8.mqtt_opts_v5, {});
  const writer = createPacketWriter({ version });
  const options = { protocolVersion: version };
  const rates = takeTurns({
    tidewire(count) {
      for (let i = 0; i < count; i += 1) {
        writer.write(packets[i % packets.length]);
        if (i % TURN === TURN - 1) {
          writer.take();
        }
      }
      writer.take();
    },
    "mqtt-packet"(count) {
      for (let i = 0; i < count; i += 1) {
        mqttPacket.generate(theirs[i % theirs.length], options);
      }
    },
    "u8-mqtt-packet"(count) {
      for (let i = 0; i < count; i += 1) {
        const [type, packet] = u8Packets[i % u8Packets.length];
        u8Context.encode_pkt(type, packet);
      }
    },
  });
  return toRows(`encode ${name}`, rates, 1);
}

function decodeRows({ name, version, wire }, chunking, size) {
  const { chunks, packets } = cut(wire, size);
  const decoder = createDecoder({ version });
  const parser = mqttPacket.parser({ protocolVersion: version });
  parser.on("error", (error) => {
    throw error;
  });
  let seen = 0;
  parser.on("packet", () => {
    seen += 1;
  });
  const stream = u8.mqtt_pkt_ctx(version, u8.mqtt_opts_v5, {}).mqtt_stream();
  const contenders = {
    tidewire(passes) {
      let decoded = 0;
      for (let pass = 0; pass < passes; pass += 1) {
        for (const chunk of chunks) {
          decoder.push(chunk);
          while (decoder.next() !== null) {
            decoded += 1;
          }
        }
      }
      expectCount(decoded, passes * packets);
    },
    "mqtt-packet"(passes) {
      seen = 0;
      for (let pass = 0; pass < passes; pass += 1) {
        for (const chunk of chunks) {
          parser.parse(chunk);
        }
      }
      expectCount(seen, passes * packets);
    },
    "u8-mqtt-packet"(passes) {
      let decoded = 0;
      for (let pass = 0; pass < passes; pass += 1) {
        for (const chunk of chunks) {
          decoded += stream.decode(chunk).length;
        }
      }
      expectCount(decoded, passes * packets);
    },
  };
  return toRows(`decode ${name}, ${chunking}`, takeTurns(contenders), packets);
}

/** The packets over and over, about a megabyte, in chunks of `size` bytes; one a chunk for size 0. */
function cut(wire, size) {
  const bytes = wire.reduce((sum, packet) => sum + packet.length, 0);
  const rounds = size === 1 ? Math.ceil(5_000 / bytes) : Math.ceil(1_000_000 / bytes);
  const packets = Array.from({ length: rounds }, () => wire).flat();
  // Each chunk has memory of its own, as from a socket.
  if (size === 0) {
    return { packets: packets.length, chunks: packets.map((packet) => Buffer.from(packet)) };
  }
  const stream = Buffer.concat(packets);
  const chunks = [];
  for (let at = 0; at < stream.length; at += size) {
    chunks.push(Buffer.from(stream.subarray(at, at + size)));
  }
  return { packets: packets.length, chunks };
}

function toRows(name, { tidewire, ...peers }, packets) {
  return Object.entries(peers).map(([peer, rate]) => row(name, "packets/s", tidewire * packets, peer, rate * packets));
}

function expectCount(actual, expected) {
  if (actual !== expected) {
    throw new Error(`decoded ${actual} packets instead of ${expected}`);
  }
}

const MQTT_PACKET_TYPES = { 1: "connect", 3: "publish", 4: "puback", 8: "subscribe" };

function toMqttPacket(packet, version) {
  const cmd = MQTT_PACKET_TYPES[packet.type];
  const properties = packet.properties;
  switch (cmd) {
    case "connect":
      return {
        cmd,
        protocolId: "MQTT",
        protocolVersion: version,
        clean: true,
        clientId: packet.clientId,
        keepalive: packet.keepAlive,
        username: packet.username,
        password: packet.password,
      };
    case "publish":
      return {
        cmd,
        topic: packet.topic,
        payload: packet.payload,
        qos: packet.qos,
        retain: false,
        dup: false,
        messageId: packet.packetId,
        properties,
      };
    case "puback":
      return { cmd, messageId: packet.packetId };
    default:
      return {
        cmd,
        messageId: packet.packetId,
        subscriptions: packet.subscriptions.map(({ filter, qos }) => ({ topic: filter, qos })),
      };
  }
}

function toU8(packet, version) {
  const type = MQTT_PACKET_TYPES[packet.type];
  switch (type) {
    case "connect":
      return [
        type,
        {
          client_id: packet.clientId,
          keep_alive: packet.keepAlive,
          flags: { clean_start: true },
          username: packet.username,
          password: packet.password,
        },
      ];
    case "publish":
      return [
        type,
        {
          topic: packet.topic,
          payload: packet.payload,
          qos: packet.qos,
          pkt_id: packet.packetId,
          props: toU8Properties(packet.properties, version),
        },
      ];
    case "puback":
      return [type, { pkt_id: packet.packetId }];
    default:
      return [type, { pkt_id: packet.packetId, topics: packet.subscriptions.map(({ filter, qos }) => [filter, qos]) }];
  }
}

function toU8Properties(properties, version) {
  if (version !== 5 || properties === undefined) {
    return undefined;
  }
  return {
    message_expiry_interval: properties.messageExpiryInterval,
    content_type: properties.contentType,
    response_topic: properties.responseTopic,
  };
}
