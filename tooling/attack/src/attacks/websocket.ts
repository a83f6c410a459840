import { deflateRawSync } from "node:zlib";
import { encode } from "@tidewire/codec";
import { type Attack, MANY } from "../attack.ts";
import { hex, publish } from "../bytes.ts";
import { each } from "../cases.ts";
import type { Channel } from "../channel.ts";
import type { Context } from "../context.ts";
import { connectPacket } from "../peer.ts";
import { WEBSOCKET } from "../variant.ts";
import { sleep } from "../wait.ts";
import { type FrameShape, frame, OPCODES, upgradeRequest } from "../websocket-frames.ts";

const EMPTY = Buffer.alloc(0);

/** Frames of every shape, after the WebSocket is open. */
export const websocket: readonly Attack[] = [
  {
    id: "58",
    title: "frames of the wrong form",
    expected: "closed with 1002, 1003 or 1007",
    cheap: true,
    on: WEBSOCKET,
    async run(t) {
      const message = Buffer.from(encode(connectPacket({ version: 4, clientId: "f" }), 4));
      const close = (code: number, reason: Buffer = EMPTY) =>
        Buffer.concat([Buffer.from([code >> 8, code & 0xff]), reason]);
      const cases: Readonly<Record<string, readonly (readonly [Uint8Array, FrameShape])[]>> = {
        text: [[message, { opcode: OPCODES.text }]],
        "not masked": [[message, { masked: false }]],
        "RSV1 without an extension": [[message, { reserved: 4 }]],
        RSV3: [[message, { reserved: 1 }]],
        "opcode 3": [[message, { opcode: 3 }]],
        "opcode 11": [[message, { opcode: 11 }]],
        "a ping of 126 bytes": [[Buffer.alloc(126), { opcode: OPCODES.ping }]],
        "a ping in fragments": [[EMPTY, { opcode: OPCODES.ping, final: false }]],
        "a continuation of nothing": [[message, { opcode: OPCODES.continuation }]],
        "a message inside a message": [
          [message, { final: false }],
          [message, {}],
        ],
        "a close of one byte": [[Buffer.from([3]), { opcode: OPCODES.close }]],
        "close code 999": [[close(999), { opcode: OPCODES.close }]],
        "close code 1005": [[close(1005), { opcode: OPCODES.close }]],
        "a reason that is no UTF-8": [[close(1000, hex("ff fe")), { opcode: OPCODES.close }]],
        "a length above 2^53": [[EMPTY, { declaredLength: 1n << 62n }]],
        "a length with the top bit": [[EMPTY, { declaredLength: 1n << 63n }]],
      };
      await each(cases, async (name, frames) => {
        const channel = await t.channel();
        for (const [payload, shape] of frames) {
          channel.sendRaw(frame(payload, shape));
        }
        t.check(await channel.endsWithin(5000), `${name}: the connection stays open`);
        const code = closeCode(channel);
        // Whoever has said goodbye may be answered in kind, whatever the reason was.
        const codes = name === "a reason that is no UTF-8" ? [1000, 1007] : [1002, 1003, 1007, 1009];
        t.check(code === undefined || codes.includes(code), `${name}: closed with ${code}`);
      });
    },
  },
  {
    id: "58.2",
    title: "a closing handshake that is never finished",
    expected: "the broker ends it after a while",
    on: WEBSOCKET,
    async run(t) {
      const channel = await t.channel({ answersClose: false });
      channel.sendRaw(frame(hex("00 00")));
      t.check(await channel.endsWithin(15_000), "the connection stays open");
    },
  },
  {
    id: "59",
    title: "floods of fragments of one byte and of none",
    expected: "closed, and little memory used",
    cheap: true,
    on: WEBSOCKET,
    bounds: { memoryMb: 40 },
    async run(t) {
      const flood = async (bytes: Buffer) => {
        const channel = await t.channel();
        channel.sendRaw(frame(Buffer.from([0x10]), { final: false }));
        const one = frame(bytes, { opcode: OPCODES.continuation, final: false });
        const many = Buffer.concat(Array<Buffer>(1000).fill(one));
        for (let count = 0; count < 20 && !channel.isEnded; count += 1) {
          channel.sendRaw(many);
          await channel.drained();
        }
        return channel.endsWithin(5000);
      };
      for (const bytes of [Buffer.from([0xff]), EMPTY]) {
        const ended = await Promise.all(Array.from({ length: 20 }, () => flood(bytes)));
        t.check(ended.every(Boolean), `fragments of ${bytes.length} bytes: connections stay open`);
      }
    },
  },
  {
    id: "60",
    title: "300 frames of 16 MB, declared and partly sent, before CONNECT",
    expected: "at most 64 KiB held for each connection",
    on: WEBSOCKET,
    // What was read and dropped waits for the collector; held, it would be 300 MB.
    bounds: { ...MANY, memoryMb: 200, p99Factor: 6 },
    async run(t) {
      for (const sent of [0, 1024 * 1024]) {
        const begun = frame(Buffer.alloc(sent, 0x10), { declaredLength: 16 * 1024 * 1024 });
        const channels = await Promise.all(Array.from({ length: 300 }, () => t.channel()));
        for (const channel of channels) {
          channel.sendRaw(begun);
        }
        await sleep(1500);
        for (const channel of channels) {
          channel.destroy();
        }
      }
    },
  },
  {
    id: "61",
    title: "compression: a bomb, without having been agreed on, with abused parameters",
    expected: "not agreed on; a compressed frame ends the connection",
    cheap: true,
    on: WEBSOCKET,
    bounds: { memoryMb: 40 },
    async run(t) {
      const offers = [
        "permessage-deflate",
        "permessage-deflate; server_max_window_bits=8; client_max_window_bits",
        "permessage-deflate; server_max_window_bits=99",
        `permessage-deflate; x=${"y".repeat(8000)}`,
      ];
      for (const offer of offers) {
        const channel = await open(t, { "Sec-WebSocket-Extensions": offer });
        t.check(!/permessage-deflate/i.test(channel.response), `agreed on: ${offer.slice(0, 40)}`);
        if (channel.isOpen) {
          channel.sendRaw(frame(deflateRawSync(Buffer.alloc(50_000_000)), { reserved: 4 }));
          t.check(await channel.endsWithin(5000), "a compressed frame: the connection stays open");
        }
      }
    },
  },
  {
    id: "62",
    title: "a flood of pings",
    expected: "answered or closed, at bounded memory",
    on: WEBSOCKET,
    bounds: { memoryMb: 60, p99Factor: 4 },
    async run(t) {
      const flood = Buffer.concat(Array<Buffer>(1000).fill(frame(Buffer.alloc(125), { opcode: OPCODES.ping })));
      for (const reads of [true, false]) {
        const channel = await t.channel();
        if (!reads) {
          channel.socket.pause();
        }
        for (let count = 0; count < 100 && !channel.isEnded; count += 1) {
          channel.sendRaw(flood);
          // Whoever does not read is not read either, in the end: that is an answer, too.
          await Promise.race([channel.drained(), sleep(500)]);
        }
        channel.destroy();
      }
    },
  },
  {
    id: "63",
    title: "pings between the parts of one packet",
    expected: "the packet is read as if they were not there",
    cheap: true,
    on: WEBSOCKET,
    async run(t) {
      const peer = await t.client();
      await peer.subscribe("own/mallory/x", 0);
      const whole = publish(5, "own/mallory/x", "y".repeat(50));
      const ping = frame(Buffer.from("p"), { opcode: OPCODES.ping });
      for (let at = 0; at < whole.length; at += 10) {
        const final = at + 10 >= whole.length;
        const opcode = at === 0 ? OPCODES.binary : OPCODES.continuation;
        peer.channel.sendRaw(Buffer.concat([frame(whole.subarray(at, at + 10), { opcode, final }), ping]));
      }
      t.check(await peer.isServed(), "not served any more");
      t.check(peer.publishesReceived === 1, `${peer.publishesReceived} of 1 message came`);
    },
  },
  {
    id: "64",
    title: "a WebSocket that is opened, and then nothing",
    expected: "ended by the time limit for CONNECT",
    on: WEBSOCKET,
    async run(t) {
      const channels = await Promise.all(Array.from({ length: 30 }, () => t.channel()));
      const ended = await Promise.all(channels.map((channel) => channel.endsWithin(20_000)));
      t.check(ended.every(Boolean), `${ended.filter((is) => !is).length} of 30 stay open`);
    },
  },
];

function open(t: Context, headers: Readonly<Record<string, string | undefined>>): Promise<Channel> {
  return t.channel({ request: upgradeRequest("/mqtt", headers) });
}

/** What the server closed with; undefined when it just ended. */
function closeCode(channel: Channel): number | undefined {
  const close = channel.control.find(({ opcode }) => opcode === OPCODES.close);
  return close !== undefined && close.payload.length >= 2 ? close.payload.readUInt16BE(0) : undefined;
}
