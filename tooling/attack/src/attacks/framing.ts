import { encode, PacketType } from "@tidewire/codec";
import {
  MALFORMED_PACKET,
  PACKET_TOO_LARGE,
  PROTOCOL_ERROR,
  UNSUPPORTED_PROTOCOL_VERSION,
} from "@tidewire/codec/codes";
import type { Attack } from "../attack.ts";
import { bytes, connect, hex, none, packet, publish, string, subscribe, uint16, varint } from "../bytes.ts";
import { codeText, each, endsConnection, refusedFirst } from "../cases.ts";
import { credentials } from "../context.ts";
import { connectPacket } from "../peer.ts";

const MALFORMED = [MALFORMED_PACKET, PROTOCOL_ERROR];
/** The longest that MQTT can say. */
const LONGEST = hex("ff ff ff 7f");

export const framing: readonly Attack[] = [
  {
    id: "1",
    title: "lengths of five bytes, or not in the shortest form",
    expected: "connection ended, 0x81",
    cheap: true,
    async run(t) {
      const cases = {
        "five bytes": hex("30 ff ff ff ff 01"),
        "four times 0x80": hex("30 80 80 80 80"),
        "zero in two bytes": hex("c0 80 00"),
        "two in two bytes": hex("30 82 00 00 00"),
      };
      await endsConnection(t, cases, MALFORMED);
      await refusedFirst(t, { "five bytes first": hex("10 ff ff ff ff 01"), "zero first": hex("10 80 80 80 00") });
    },
  },
  {
    id: "2",
    title: "a length of 256 MB, then silence",
    expected: "connection ended when the length is known, 0x95",
    cheap: true,
    bounds: { memoryMb: 32 },
    async run(t) {
      await endsConnection(t, { publish: Buffer.concat([bytes(0x30), LONGEST]) }, [PACKET_TOO_LARGE]);
      await refusedFirst(t, { connect: Buffer.concat([bytes(0x10), LONGEST]) });
    },
  },
  {
    id: "3",
    title: "a length that is longer or shorter than what comes",
    expected: "the rest is waited for; what is too short is read as the next packet",
    cheap: true,
    async run(t) {
      const { version } = t.variant;
      const peer = await t.client();
      const whole = publish(version, "own/mallory/x", "y".repeat(100));
      peer.channel.send(whole.subarray(0, 20));
      peer.channel.send(whole.subarray(20));
      t.check(await peer.isServed(), "a packet over two messages: not served any more");
      const short = Buffer.concat([bytes(0x30, 3 + none(version).length), string("a"), none(version), hex("00 00 00")]);
      await endsConnection(t, { "too short": short }, MALFORMED);
    },
  },
  {
    id: "4",
    title: "a first packet that is no CONNECT, of every type and 256 MB",
    expected: "connection ended without an answer",
    cheap: true,
    async run(t) {
      const types = Array.from({ length: 16 }, (_, type) => type).filter((type) => type !== PacketType.CONNECT);
      const small = types.map((type) => [`type ${type}`, bytes(type << 4, 0)]);
      const large = types.map((type) => [`type ${type}, 256 MB`, Buffer.concat([bytes(type << 4), LONGEST])]);
      await refusedFirst(t, Object.fromEntries([...small, ...large]));
    },
  },
  {
    id: "5",
    title: "a second CONNECT",
    expected: "connection ended, 0x82",
    cheap: true,
    async run(t) {
      const again = encode(connectPacket({ version: t.variant.version, ...credentials("mallory") }), 5);
      await endsConnection(t, { again: Buffer.from(again) }, [PROTOCOL_ERROR]);
      // In one chunk with the first, where the broker asks nobody in between.
      const { closed } = await t.sendFirst(Buffer.concat([again, again]), 5000);
      t.check(closed, "two at once: the connection stays open");
    },
  },
  {
    id: "6",
    title: "packets that only servers send",
    expected: "connection ended, 0x82",
    cheap: true,
    async run(t) {
      const isFive = t.variant.version === 5;
      const cases = {
        CONNACK: isFive ? hex("20 03 00 00 00") : hex("20 02 00 00"),
        SUBACK: isFive ? hex("90 04 00 01 00 00") : hex("90 03 00 01 00"),
        UNSUBACK: isFive ? hex("b0 04 00 01 00 00") : hex("b0 02 00 01"),
        PINGRESP: hex("d0 00"),
        ...(isFive ? {} : { AUTH: hex("f0 00") }),
      };
      await endsConnection(t, cases, MALFORMED);
    },
  },
  {
    id: "7",
    title: "wrong flags in the fixed header, for every type",
    expected: "connection ended, 0x81",
    cheap: true,
    async run(t) {
      const { version } = t.variant;
      const id = uint16(1);
      const bodies: readonly (readonly [name: string, first: number, body: Buffer])[] = [
        ["PUBACK", 0x41, id],
        ["PUBREC", 0x52, id],
        ["PUBREL", 0x60, id],
        ["PUBCOMP", 0x78, id],
        ["SUBSCRIBE", 0x80, subscribe(version, ["a"]).subarray(2)],
        ["UNSUBSCRIBE", 0xa0, Buffer.concat([id, none(version), string("a")])],
        ["PINGREQ", 0xc1, bytes()],
        ["DISCONNECT", 0xe1, bytes()],
        ["type 0", 0x00, bytes()],
      ];
      await endsConnection(t, Object.fromEntries(bodies.map(([name, first, body]) => [name, packet(first, body)])), [
        MALFORMED_PACKET,
        PROTOCOL_ERROR,
      ]);
      await refusedFirst(t, { CONNECT: Buffer.concat([bytes(0x11), connect().subarray(1)]) });
    },
  },
  {
    id: "8",
    title: "packet identifier 0",
    expected: "connection ended, 0x81 or 0x82",
    cheap: true,
    async run(t) {
      const { version } = t.variant;
      const cases = {
        PUBLISH: publish(version, "own/mallory/x", "x", { first: 0x32, packetId: 0 }),
        SUBSCRIBE: subscribe(version, ["own/mallory/x"], { packetId: 0 }),
        UNSUBSCRIBE: packet(0xa2, uint16(0), none(version), string("a")),
        PUBACK: packet(0x40, uint16(0)),
        PUBREL: packet(0x62, uint16(0)),
      };
      await endsConnection(t, cases, MALFORMED);
    },
  },
  {
    id: "9",
    title: "QoS 3, and DUP with QoS 0",
    expected: "connection ended, 0x81 or 0x82",
    cheap: true,
    async run(t) {
      const { version } = t.variant;
      const cases = {
        "QoS 3": publish(version, "own/mallory/x", "x", { first: 0x36, packetId: 1 }),
        "DUP with QoS 0": publish(version, "own/mallory/x", "x", { first: 0x38 }),
        "SUBSCRIBE with QoS 3": subscribe(version, ["own/mallory/x"], { options: 3 }),
        "SUBSCRIBE with reserved bits": subscribe(version, ["own/mallory/x"], { options: 0xc1 }),
      };
      await endsConnection(t, cases, MALFORMED);
    },
  },
  {
    id: "10",
    title: "a session cut off after every byte",
    expected: "each connection ended, nothing left",
    cheap: true,
    async run(t) {
      const { version } = t.variant;
      const first = Buffer.from(encode(connectPacket({ version, ...credentials("mallory") }), version));
      const stream = Buffer.concat([
        first,
        subscribe(version, ["own/mallory/#"]),
        publish(version, "own/mallory/x", "y"),
      ]);
      const cuts = Object.fromEntries(Array.from({ length: stream.length }, (_, length) => [length, length]));
      await each(cuts, async (_, length) => {
        const peer = await t.peer();
        peer.channel.send(stream.subarray(0, length));
        peer.channel.socket.end();
        t.check(await peer.channel.endsWithin(5000), `after ${length} bytes: the connection stays open`);
      });
      // The same bytes under a length that ends there.
      const body = publish(version, "own/mallory/x", "x", { first: 0x32, packetId: 1 }).subarray(2);
      const least = 2 + 13 + 2 + none(version).length;
      const short = Array.from({ length: least }, (_, length) => [
        `PUBLISH of ${length} bytes`,
        packet(0x32, body.subarray(0, length)),
      ]);
      await endsConnection(t, Object.fromEntries(short), MALFORMED);
    },
  },
  {
    id: "11",
    title: "a long packet, byte by byte",
    expected: "taken, in time that grows with its length and no faster",
    on: { transports: ["tcp", "ws"] },
    async run(t) {
      const cost = async (length: number) => {
        const peer = await t.client();
        const before = (await t.program.read())?.loopCpuMs ?? 0;
        const whole = publish(t.variant.version, "own/mallory/x", "z".repeat(length));
        for (let index = 0; index < whole.length; index += 1) {
          peer.channel.send(whole.subarray(index, index + 1));
          if (index % 500 === 0) {
            await peer.channel.drained();
          }
        }
        t.check(await peer.isServed(30_000), `${length} bytes: not served any more`);
        peer.destroy();
        return ((await t.program.read())?.loopCpuMs ?? 0) - before;
      };
      await cost(5000);
      const [short, long] = [await cost(20_000), await cost(80_000)];
      t.note(`20,000 bytes ${short.toFixed(0)} ms, 80,000 bytes ${long.toFixed(0)} ms of processor time`);
      t.check(long < Math.max(short * 9, 400), "the time grows faster than the length");
    },
  },
  {
    id: "12",
    title: "many packets in one message, one packet over many",
    expected: "all of them handled",
    cheap: true,
    async run(t) {
      const peer = await t.client();
      await peer.subscribe("own/mallory/#", 0);
      const { version } = t.variant;
      peer.channel.send(Buffer.concat(Array.from({ length: 16 }, (_, i) => publish(version, "own/mallory/x", `${i}`))));
      const long = publish(version, "own/mallory/x", "long".repeat(20));
      for (let part = 0; part < 50; part += 1) {
        const size = Math.ceil(long.length / 50);
        peer.channel.send(long.subarray(part * size, (part + 1) * size));
      }
      t.check(await peer.isServed(), "not served any more");
      t.check(peer.publishesReceived === 17, `${peer.publishesReceived} of 17 messages came`);
    },
  },
  {
    id: "13",
    title: "bytes behind the end of a packet's content",
    expected: "connection ended, 0x81",
    cheap: true,
    async run(t) {
      const { version } = t.variant;
      const isFive = version === 5;
      const cases = {
        PINGREQ: hex("c0 01 00"),
        PUBACK: isFive ? hex("40 05 00 01 00 00 00") : hex("40 03 00 01 00"),
        SUBSCRIBE: packet(0x82, uint16(1), none(version), string("a"), bytes(1), bytes(0)),
        UNSUBSCRIBE: packet(0xa2, uint16(1), none(version), string("a"), bytes(0)),
        DISCONNECT: isFive ? hex("e0 03 00 00 00") : hex("e0 01 00"),
        "SUBSCRIBE of nothing": packet(0x82, uint16(1), none(version)),
        "UNSUBSCRIBE of nothing": packet(0xa2, uint16(1), none(version)),
      };
      await endsConnection(t, cases, MALFORMED);
      await refusedFirst(t, { CONNECT: connect({ clientId: "c", rest: [hex("00")] }) });
    },
  },
  {
    id: "14",
    title: "protocol names and levels that do not exist",
    expected: "connection ended; an unknown level is told so: 0x84, or return code 1 below 5",
    cheap: true,
    async run(t) {
      const names = ["MQTX", "", "mqtt", "MQIsdp\0", "HTTP", "\u0000\u0000\u0000\u0000"];
      const cases = Object.fromEntries(names.map((name) => [`name ${JSON.stringify(name)}`, connect({ name })]));
      await refusedFirst(t, { ...cases, "MQIsdp at level 4": connect({ name: "MQIsdp", level: 4 }) });
      await each({ 2: 1, 6: UNSUPPORTED_PROTOCOL_VERSION, 99: UNSUPPORTED_PROTOCOL_VERSION }, async (level, code) => {
        const channel = await t.channel();
        const answer: Buffer[] = [];
        channel.onData = (chunk) => answer.push(chunk);
        channel.send(connect({ level: Number(level) }));
        t.check(await channel.endsWithin(5000), `level ${level}: the connection stays open`);
        const [type, , , reasonCode] = Buffer.concat(answer);
        t.check(type === 0x20 && reasonCode === code, `level ${level}: answered by ${codeText(reasonCode)}`);
      });
    },
  },
  {
    id: "15",
    title: "CONNECT flags and fields that do not fit each other",
    expected: "connection ended",
    cheap: true,
    async run(t) {
      const will = [string("w"), string("x")];
      await refusedFirst(t, {
        "reserved bit": connect({ flags: 0x03 }),
        "reserved bit, 3.1.1": connect({ flags: 0x03, level: 4 }),
        "will QoS without a will": connect({ flags: 0x0a }),
        "will retain without a will": connect({ flags: 0x22, level: 4 }),
        "will QoS 3": connect({ flags: 0x1e, level: 4, clientId: "c", rest: will }),
        "password without a name, 3.1.1": connect({ flags: 0x42, level: 4, clientId: "c", rest: [string("p")] }),
        "no client identifier but a session, 3.1.1": connect({ flags: 0x00, level: 4 }),
        "a will that is not there": connect({ flags: 0x06, level: 4, clientId: "c" }),
        "property length past the end": Buffer.concat([
          packet(0x10, string("MQTT"), bytes(5, 2), uint16(0), varint(200), string("")),
        ]),
        "nothing after the flags": packet(0x10, string("MQTT"), bytes(4, 2)),
      });
      t.check((await (await t.client()).isServed()) === true, "a client after all this is not served");
    },
  },
];
