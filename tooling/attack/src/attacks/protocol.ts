import { encode, PacketType } from "@tidewire/codec";
import { MALFORMED_PACKET, PROTOCOL_ERROR } from "@tidewire/codec/codes";
import type { Attack } from "../attack.ts";
import { connect, hex, string } from "../bytes.ts";
import { codeText, each } from "../cases.ts";

import { type Context, credentials } from "../context.ts";
import { connectPacket } from "../peer.ts";
import { ONE_TRANSPORT, V5, WEBSOCKET } from "../variant.ts";

/** What foreign clients do at the edge of the specification: they get an answer that they can read, or what they meant. */
export const protocol: readonly Attack[] = [
  {
    id: "14.2",
    title: "Mosquitto as a bridge: protocol levels 0x83 and 0x84",
    expected: "let in; no echo; its notification below $SYS is taken",
    cheap: true,
    on: { transports: ["tcp"], versions: [4], access: [false] },
    async run(t) {
      for (const level of [0x83, 0x84]) {
        const name = level === 0x83 ? "MQIsdp" : "MQTT";
        const peer = await t.peer();
        peer.channel.send(connect({ name, level, clientId: `bridge${level}` }));
        const connack = await peer.next(PacketType.CONNACK, 5000);
        t.check(connack?.reasonCode === 0, `level ${codeText(level)}: CONNACK ${codeText(connack?.reasonCode)}`);
        await peer.subscribe("own/mallory/x", 0);
        peer.publish("own/mallory/x", "echo");
        peer.publish(`$SYS/broker/connection/bridge${level}/state`, "1", { qos: 1, retain: true });
        t.check(await peer.isServed(), `level ${codeText(level)}: not served any more`);
        t.check(peer.publishesReceived === 0, `level ${codeText(level)}: its own message came back`);
      }
    },
  },
  {
    id: "15.2",
    title: "MQTT 3.1: no client identifier, and one of more than 23 characters",
    expected: "return code 2",
    cheap: true,
    on: { ...ONE_TRANSPORT, versions: [4] },
    async run(t) {
      const { username = "", password = Buffer.alloc(0) } = credentials("mallory");
      const rest = [string(username), string(password)];
      for (const [clientId, code] of [
        ["", 2],
        ["x".repeat(24), 2],
        ["x".repeat(23), 0],
      ] as const) {
        const peer = await t.peer({ version: 3 });
        peer.channel.send(connect({ name: "MQIsdp", level: 3, flags: 0xc2, clientId, rest }));
        const connack = await peer.next(PacketType.CONNACK, 5000);
        t.check(connack?.reasonCode === code, `${clientId.length} characters: ${codeText(connack?.reasonCode)}`);
      }
    },
  },
  {
    id: "15.3",
    title: "an MQTT 5 CONNECT that is malformed behind its version",
    expected: "CONNACK 0x81 or 0x82",
    cheap: true,
    on: V5,
    async run(t) {
      const cases = {
        "a property that is unknown": connect({ properties: [hex("7f 00")] }),
        "a property twice": connect({ properties: [hex("11 00000001"), hex("11 00000001")] }),
        "a reserved flag": connect({ flags: 0x03 }),
        "an identifier that is no UTF-8": connect({ clientId: hex("ff") }),
      };
      await each(cases, async (name, content) => {
        const peer = await t.peer();
        peer.channel.send(content);
        const connack = await peer.next(PacketType.CONNACK, 5000);
        const isRight = [MALFORMED_PACKET, PROTOCOL_ERROR, 0x85].includes((connack?.reasonCode ?? 0) as 0x81);
        t.check(isRight, `${name}: CONNACK ${codeText(connack?.reasonCode)}`);
        t.check(await peer.channel.endsWithin(5000), `${name}: the connection stays open`);
      });
    },
  },
  {
    id: "23.2",
    title: "a packet of 6 MB where 8 MB are allowed",
    expected: "taken, over WebSockets, too",
    on: { transports: ["tcp", "ws", "wss"], stores: ["memory"] },
    server: { arguments: ["--max-packet-size", "8388608"] },
    // Whoever allows such packets allows the time that it takes to copy and encrypt them.
    bounds: { blockMs: 40, memoryMb: 200, p99Factor: 6 },
    async run(t) {
      const peer = await t.client();
      await peer.subscribe("own/mallory/x", 0);
      peer.publish("own/mallory/x", Buffer.alloc(6_000_000, 0x61));
      t.check(await peer.isServed(20_000), "not served any more");
      t.check(peer.publishesReceived === 1, "it did not come back");
    },
  },
  {
    id: "33.2",
    title: "an acknowledgement with 0x10, which is a success",
    expected: "taken as one: the message is not sent again",
    cheap: true,
    on: V5,
    async run(t) {
      const fields = { clientId: t.clientId(), cleanStart: false, properties: { sessionExpiryInterval: 60 } };
      const peer = await t.client(fields, { acknowledges: false });
      await peer.subscribe("own/mallory/x", 1);
      peer.publish("own/mallory/x", "x", { qos: 1 });
      const message = await peer.next(PacketType.PUBLISH);
      peer.acknowledge(PacketType.PUBACK, message?.packetId ?? 0, 0x10);
      t.check(await peer.isServed(), "not served any more");
      peer.destroy();
      const again = await t.client(fields);
      await again.isServed();
      t.check(again.publishesReceived === 0, "it was sent again");
    },
  },
  {
    id: "50.2",
    title: "a member of a shared subscription that hangs, with Receive Maximum 1",
    expected: "what waits for it goes to the other one",
    cheap: true,
    on: V5,
    async run(t) {
      const properties = { receiveMaximum: 1 };
      const hung = await t.client({ properties }, { acknowledges: false });
      await hung.subscribe("$share/half/own/mallory/#", 1);
      const other = await t.client({ properties });
      await other.subscribe("$share/half/own/mallory/#", 1);
      const publisher = await t.client();
      for (let count = 0; count < 40; count += 1) {
        publisher.publish("own/mallory/x", `${count}`, { qos: 1 });
      }
      await publisher.isServed();
      await settled(t, () => other.publishesReceived);
      t.check(other.publishesReceived >= 39, `the one that works got ${other.publishesReceived} of 40`);
    },
  },
  {
    id: "57.2",
    title: "a slash at the end of the path",
    expected: "upgraded as without",
    cheap: true,
    on: WEBSOCKET,
    async run(t) {
      const first = encode(connectPacket({ clientId: t.clientId(), ...credentials("mallory") }), 5);
      const peer = await t.peer({ path: "/mqtt/" });
      t.check(peer.channel.status === 101, `status ${peer.channel.status}`);
      peer.channel.send(first);
      t.check((await peer.next(PacketType.CONNACK, 5000))?.reasonCode === 0, "no CONNACK");
    },
  },
];

/** Waits until a number grows no more. */
async function settled(t: Context, value: () => number): Promise<void> {
  const peer = await t.client();
  for (let before = -1; value() !== before; ) {
    before = value();
    for (let turn = 0; turn < 20; turn += 1) {
      await peer.isServed();
    }
  }
}
