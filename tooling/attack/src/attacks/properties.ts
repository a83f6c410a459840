import { PacketType } from "@tidewire/codec";
import {
  BAD_AUTHENTICATION_METHOD,
  MALFORMED_PACKET,
  PACKET_TOO_LARGE,
  PAYLOAD_FORMAT_INVALID,
  PROTOCOL_ERROR,
  RECEIVE_MAXIMUM_EXCEEDED,
  TOPIC_ALIAS_INVALID,
  TOPIC_NAME_INVALID,
} from "@tidewire/codec/codes";
import type { Attack } from "../attack.ts";
import {
  bytes,
  connect,
  hex,
  packet,
  propertyList,
  publish,
  string,
  subscribe,
  uint16,
  uint32,
  varint,
} from "../bytes.ts";
import { type Cases, codeText, each, endsConnection, refusedFirst } from "../cases.ts";
import { credentials } from "../context.ts";
import { connectPacket } from "../peer.ts";
import { V5 } from "../variant.ts";
import { sleep } from "../wait.ts";

const INVALID = [MALFORMED_PACKET, PROTOCOL_ERROR];
const USER_PROPERTY = hex("26 0001 61 0001 62");

/** CONNECT with these properties, and a user's credentials. */
function connectWith(clientId: string, ...properties: readonly Uint8Array[]): Buffer {
  const { username = "", password = Buffer.alloc(0) } = credentials("mallory");
  return connect({ flags: 0xc2, clientId, properties, rest: [string(username), string(password)] });
}

export const properties: readonly Attack[] = [
  {
    id: "22",
    title: "properties twice, on the wrong packet, unknown, too long",
    expected: "connection ended, 0x81 or 0x82",
    cheap: true,
    on: V5,
    async run(t) {
      const topic = "own/mallory/x";
      const message = (...list: readonly Buffer[]) => publish(5, topic, "x", { properties: list });
      const cases: Cases = {
        "payload format twice": message(hex("01 00"), hex("01 00")),
        "expiry twice": message(Buffer.concat([hex("02"), uint32(9)]), Buffer.concat([hex("02"), uint32(9)])),
        "content type twice": message(hex("03 0001 61"), hex("03 0001 61")),
        "Receive Maximum on PUBLISH": message(hex("21 0001")),
        "Subscription Identifier from a client": message(hex("0b 01")),
        "unknown 0x7f": message(hex("7f 00")),
        "unknown 0x00": message(hex("00 00")),
        "identifier in two bytes": message(hex("81 00 00")),
        "list longer than the packet": packet(0x30, string(topic), varint(100), hex("26")),
        "text longer than the list": message(hex("03 00ff 61")),
        "number cut off": message(hex("02 0000")),
        "payload format 2": message(hex("01 02")),
        "user property without a value": message(hex("26 0001 61")),
        "two Subscription Identifiers": subscribe(5, [topic], { properties: [hex("0b 01"), hex("0b 02")] }),
        "reason string on SUBSCRIBE": subscribe(5, [topic], { properties: [hex("1f 0001 61")] }),
      };
      await endsConnection(t, cases, INVALID);
      await refusedFirst(t, {
        "session expiry twice": connectWith("c", hex("11 00000001"), hex("11 00000001")),
        "Topic Alias on CONNECT": connectWith("c", hex("23 0001")),
        "Assigned Client Identifier on CONNECT": connectWith("c", hex("12 0001 61")),
        "request problem information 2": connectWith("c", hex("17 02")),
        "list longer than the packet": packet(0x10, string("MQTT"), bytes(5, 2), uint16(0), hex("ff ff 7f")),
      });
    },
  },
  {
    id: "23",
    title: "100,000 user properties; 5 MB of them in CONNECT",
    expected: "taken within the packet limit, 0x95 above it",
    on: { versions: [5], transports: ["tcp", "ws"] },
    async run(t) {
      const many = [Buffer.alloc(100_000 * USER_PROPERTY.length, USER_PROPERTY)];
      const peer = await t.client();
      peer.channel.send(publish(5, "own/mallory/x", "x", { properties: many }));
      const isServed = await peer.isServed();
      t.check(isServed || peer.closed, "neither served nor ended");
      t.note(isServed ? "taken" : `ended with ${codeText(peer.reasonCode)}`);
      const first = await t.peer();
      first.channel.send(connectWith(t.clientId(), ...many));
      await first.next(PacketType.CONNACK, 5000);
      const fiveMegabytes = Buffer.alloc(700_000 * USER_PROPERTY.length, USER_PROPERTY);
      const large = await t.sendFirst(connectWith(t.clientId(), fiveMegabytes));
      t.check(large.closed && large.reasonCode !== 0, "5 MB in CONNECT are taken");
      const clientId = t.clientId();
      const message = publish(5, "own/mallory/x", Buffer.alloc(2_000_000));
      const { closed, reasonCode } = await t.sendConnected(message, { clientId });
      t.check(closed, "PUBLISH of 2 MB: the connection stays open");
      // A WebSocket message that is too long ends with 1009 before there is a packet.
      const isRight = reasonCode === PACKET_TOO_LARGE || (t.variant.transport === "ws" && reasonCode === undefined);
      t.check(isRight, `PUBLISH of 2 MB: DISCONNECT ${codeText(reasonCode)}`);
      await t.logs(new RegExp(clientId), "that its packet was too large");
    },
  },
  {
    id: "24",
    title: "topic aliases: 0, too high, never set, set without end",
    expected: "connection ended, 0x94 or 0x82; memory stays level",
    cheap: true,
    on: V5,
    async run(t) {
      const alias = (value: number) => Buffer.concat([hex("23"), uint16(value)]);
      const cases = {
        "alias 0": publish(5, "own/mallory/x", "x", { properties: [alias(0)] }),
        "alias 65,535": publish(5, "own/mallory/x", "x", { properties: [alias(65_535)] }),
        "alias never set": publish(5, "", "x", { properties: [alias(1)] }),
        "alias twice": publish(5, "own/mallory/x", "x", { properties: [alias(1), alias(2)] }),
      };
      await endsConnection(t, cases, [TOPIC_ALIAS_INVALID, PROTOCOL_ERROR, MALFORMED_PACKET]);
      const peer = await t.client();
      for (let round = 0; round < 2000; round += 1) {
        const topic = `own/mallory/${"y".repeat(1000)}${round}`;
        peer.channel.send(publish(5, topic, "x", { properties: [alias((round % 32) + 1)] }));
        await peer.channel.drained();
      }
      t.check(await peer.isServed(), "2,000 topics for 32 aliases: not served any more");
    },
  },
  {
    id: "25",
    title: "Receive Maximum 0, and more than ours in flight",
    expected: "connection ended, 0x82; 0x93",
    cheap: true,
    on: V5,
    async run(t) {
      await refusedFirst(t, { "Receive Maximum 0": connectWith("c", hex("21 0000")) });
      const all = Array.from({ length: 1100 }, (_, index) =>
        publish(5, "own/mallory/x", "x", { first: 0x34, packetId: index + 1 }),
      );
      await endsConnection(t, { "1,100 QoS 2 messages": Buffer.concat(all) }, [RECEIVE_MAXIMUM_EXCEEDED]);
    },
  },
  {
    id: "26",
    title: "a Maximum Packet Size that no answer fits",
    expected: "0: 0x82; 1 and above: connection ended without CONNACK until it fits",
    cheap: true,
    on: V5,
    async run(t) {
      await refusedFirst(t, { "Maximum Packet Size 0": connectWith("c", hex("27 00000000")) });
      // The bytes that ended the process once, with and without a name.
      const known = hex("10 12 00 04 4D 51 54 54 05 02 00 3C 05 27 00 00 00 01 00 00");
      await refusedFirst(t, { "the known bytes": known });
      const sizes = Object.fromEntries(Array.from({ length: 40 }, (_, size) => [`${size + 1}`, size + 1]));
      await each(sizes, async (name, size) => {
        const peer = await t.peer();
        peer.channel.send(connectWith(t.clientId(), Buffer.concat([hex("27"), uint32(size)])));
        const connack = await peer.next(PacketType.CONNACK, 5000);
        t.check(connack !== undefined || peer.closed, `${name}: neither let in nor ended`);
        t.check(size >= 5 || connack === undefined, `${name}: a CONNACK that is longer than that`);
      });
      t.check(t.program.exit === undefined, "the process ended");
    },
  },
  {
    id: "26.2",
    title: "answers that do not fit the Maximum Packet Size later on",
    expected: "what may be left out is; else this connection ends and no other",
    cheap: true,
    on: V5,
    async run(t) {
      const filters = Array.from({ length: 200 }, (_, index) => `own/mallory/${index}`);
      const cases: Readonly<Record<string, Buffer>> = {
        SUBACK: subscribe(5, filters),
        UNSUBACK: packet(0xa2, uint16(1), propertyList(), ...filters.map((filter) => string(filter))),
        "PUBLISH with itself as subscriber": Buffer.concat([
          subscribe(5, ["own/mallory/+"]),
          publish(5, "own/mallory/x", "y".repeat(300), { first: 0x32, packetId: 2 }),
        ]),
        "DISCONNECT with a reason": hex("30 80 80 80 80"),
      };
      await each(cases, async (name, content) => {
        const peer = await t.client({ clientId: t.clientId(), properties: { maximumPacketSize: 100 } });
        peer.channel.send(content);
        const isServed = await peer.isServed(3000);
        t.check(isServed || peer.closed, `${name}: neither served nor ended`);
        const longest = Math.max(0, ...peer.received.map((each) => JSON.stringify(each).length));
        t.check(longest < 2000, `${name}: a longer packet came`);
      });
    },
  },
  {
    id: "27",
    title: "subscription identifiers 0, the largest, and larger",
    expected: "connection ended, 0x82; the largest is one like others",
    cheap: true,
    on: V5,
    async run(t) {
      const withId = (id: Buffer) => subscribe(5, ["own/mallory/x"], { properties: [Buffer.concat([hex("0b"), id])] });
      await endsConnection(t, { 0: withId(hex("00")), "five bytes": withId(hex("ff ff ff ff 01")) }, INVALID);
      const peer = await t.client();
      peer.channel.send(withId(hex("ff ff ff 7f")));
      t.check((await peer.next(PacketType.SUBACK))?.reasonCodes[0] === 1, "the largest is refused");
      peer.publish("own/mallory/x", "x");
      const message = await peer.next(PacketType.PUBLISH);
      t.check(message?.properties?.subscriptionIdentifiers?.[0] === 268_435_455, "the largest does not come back");
    },
  },
  {
    id: "28",
    title: "a payload that is said to be UTF-8 and is not",
    expected: "passed on, or refused with 0x99",
    cheap: true,
    on: V5,
    async run(t) {
      const peer = await t.client();
      await peer.subscribe("own/mallory/x", 0);
      peer.channel.send(publish(5, "own/mallory/x", hex("ff fe"), { properties: [hex("01 01")] }));
      const isServed = await peer.isServed();
      const isRefused = peer.closed && peer.reasonCode === PAYLOAD_FORMAT_INVALID;
      t.check(isServed || isRefused, `DISCONNECT ${codeText(peer.reasonCode)}`);
    },
  },
  {
    id: "29",
    title: "a response topic with wildcards",
    expected: "connection ended, 0x81, 0x82 or 0x90",
    cheap: true,
    on: V5,
    async run(t) {
      const withResponse = (topic: string) =>
        publish(5, "own/mallory/x", "x", { properties: [Buffer.concat([hex("08"), string(topic)])] });
      const cases = { plus: withResponse("a/+"), hash: withResponse("#") };
      await endsConnection(t, cases, [...INVALID, TOPIC_NAME_INVALID]);
    },
  },
  {
    id: "30",
    title: "a will delayed beyond its session; a session expiry raised at the end",
    expected: "the will comes when the session ends; 0x82",
    cheap: true,
    on: V5,
    async run(t) {
      const raised = Buffer.concat([hex("e0 07 00 05 11"), uint32(100)]);
      await endsConnection(t, { "raised from 0": raised }, [PROTOCOL_ERROR]);
      const watcher = await t.client();
      await watcher.subscribe("own/mallory/will", 0);
      const will = {
        topic: "own/mallory/will",
        payload: Buffer.from("gone"),
        qos: 0,
        retain: false,
        properties: { willDelayInterval: 0xffffffff },
      } as const;
      const dying = await t.client({ will, properties: { sessionExpiryInterval: 1 } });
      dying.destroy();
      await sleep(200);
      t.check(watcher.publishesReceived === 0, "the will came before the session ended");
      t.check(
        (await watcher.next(PacketType.PUBLISH, 5000)) !== undefined,
        "the will did not come with the session's end",
      );
    },
  },
  {
    id: "31",
    title: "AUTH without a method, another method, in the middle",
    expected: "connection ended, 0x82 or 0x8C",
    cheap: true,
    on: V5,
    async run(t) {
      const method = (name: string) => Buffer.concat([hex("15"), string(name)]);
      const cases = {
        "AUTH of nothing": hex("f0 00"),
        "AUTH with a method": packet(0xf0, hex("18"), propertyList(method("SCRAM"))),
        "AUTH again": packet(0xf0, hex("19"), propertyList(method("SCRAM"))),
      };
      await endsConnection(t, cases, [...INVALID, BAD_AUTHENTICATION_METHOD]);
      await refusedFirst(t, {
        "an unknown method": connectWith("c", method("SCRAM")),
        "data without a method": connectWith("c", hex("16 0001 61")),
        "AUTH first": hex("f0 00"),
      });
      const peer = await t.peer();
      peer.send(connectPacket({ properties: { authenticationMethod: "x" }, ...credentials("mallory") }));
      peer.channel.send(packet(0xf0, hex("18"), propertyList(method("y"))));
      t.check((await peer.ending(5000)).closed, "a change of the method: the connection stays open");
    },
  },
];
