import { encode } from "@tidewire/codec";
import type { Attack } from "../attack.ts";
import { connect, hex } from "../bytes.ts";
import { each } from "../cases.ts";
import type { Channel } from "../channel.ts";
import { type Context, credentials } from "../context.ts";
import { connectPacket } from "../peer.ts";
import { portOf } from "../program.ts";
import { WEBSOCKET } from "../variant.ts";
import { sleep, until } from "../wait.ts";
import { frame, upgradeRequest } from "../websocket-frames.ts";

/** Opening a WebSocket, and what is no WebSocket at all. */
export const handshake: readonly Attack[] = [
  {
    id: "55",
    title: "pages of other origins; names that look like ours",
    expected: "status 403 unless it is the same origin or none",
    cheap: true,
    on: WEBSOCKET,
    async run(t) {
      const port = portOf(t.program, t.variant.transport);
      const scheme = t.variant.transport === "wss" ? "https" : "http";
      const own = `${scheme}://127.0.0.1:${port}`;
      const refused = {
        "another page": "https://evil.example",
        null: "null",
        "own as a prefix": `${own}.evil.example`,
        "own as a suffix": `https://evil.example/${own}`,
        "own with a user": `${scheme}://127.0.0.1:${port}@evil.example`,
        "another port": `${scheme}://127.0.0.1:1`,
        "an extension": "chrome-extension://abcdef",
        empty: "",
      };
      for (const [name, origin] of Object.entries(refused)) {
        const status = await statusOf(t, { Host: `127.0.0.1:${port}`, Origin: origin });
        t.check(status === 403, `${name}: status ${status}`);
      }
      t.check((await statusOf(t, { Host: `127.0.0.1:${port}`, Origin: own })) === 101, "the same origin is refused");
      t.check((await statusOf(t, { Host: `127.0.0.1:${port}` })) === 101, "no origin is refused");
      await t.logs(/origin/i, "which origin was refused");
    },
  },
  {
    id: "55.2",
    title: "a name that was made to point at this machine (DNS rebinding)",
    expected: "on loopback, a Host that is not this machine is refused",
    cheap: true,
    on: WEBSOCKET,
    async run(t) {
      const port = portOf(t.program, t.variant.transport);
      const host = `evil.example:${port}`;
      const status = await statusOf(t, { Host: host, Origin: `http://${host}` });
      t.check(status >= 400 || status === 0, `status ${status}`);
    },
  },
  {
    id: "56",
    title: "subprotocols: none, in capitals, a list, 64 kB, blanks without end",
    expected: "101 with mqtt where it is offered, 400 or 431 where it is not",
    cheap: true,
    on: WEBSOCKET,
    bounds: { cpuMs: 1500 },
    async run(t) {
      const cases: Readonly<Record<string, readonly [string | undefined, (status: number) => boolean]>> = {
        none: [undefined, (status) => status === 400],
        "in capitals": ["MQTT", (status) => status === 400],
        "another one": ["amqp", (status) => status === 400],
        "a list": ["amqp, mqtt", (status) => status === 101],
        "a list without blanks": ["amqp,mqttv3.1,mqtt", (status) => status === 101],
        "twice the same": ["mqtt, mqtt", (status) => status === 400 || status === 101],
        "64 kB": [`${"x".repeat(64_000)}, mqtt`, (status) => status === 431 || status === 0],
        "15 kB of blanks": [`mqtt${" ".repeat(15_000)}x`, (status) => status === 400],
        "7,000 commas": [`${",".repeat(7000)}mqtt`, (status) => status === 400],
      };
      for (const [name, [offered, isRight]] of Object.entries(cases)) {
        const status = await statusOf(t, { "Sec-WebSocket-Protocol": offered });
        t.check(isRight(status), `${name}: status ${status}`);
      }
    },
  },
  {
    id: "57",
    title: "HTTP requests of the wrong form",
    expected: "a status of 400 and above, or the end",
    cheap: true,
    on: WEBSOCKET,
    async run(t) {
      const good = upgradeRequest("/mqtt");
      const cases: Readonly<Record<string, string>> = {
        "another path": upgradeRequest("/other"),
        "a path above": upgradeRequest("/mqtt/../x"),
        "HTTP/1.0": good.replace("HTTP/1.1", "HTTP/1.0"),
        "HTTP/2.0": good.replace("HTTP/1.1", "HTTP/2.0"),
        "no Host": upgradeRequest("/mqtt", { Host: undefined }),
        "no key": upgradeRequest("/mqtt", { "Sec-WebSocket-Key": undefined }),
        "a short key": upgradeRequest("/mqtt", { "Sec-WebSocket-Key": "abc" }),
        "version 12": upgradeRequest("/mqtt", { "Sec-WebSocket-Version": "12" }),
        "no version": upgradeRequest("/mqtt", { "Sec-WebSocket-Version": undefined }),
        POST: good.replace("GET", "POST"),
        "20,000 headers": good.replace("\r\n\r\n", `\r\n${"X: y\r\n".repeat(20_000)}\r\n`),
        "two lengths": good.replace("\r\n\r\n", "\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
        "a bare LF": good.replaceAll("\r\n", "\n").replace("Host", "Ho\0st"),
        "a blank before the colon": good.replace("Upgrade:", "Upgrade :"),
        "no upgrade": "GET /mqtt HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
      };
      await each(cases, async (name, request) => {
        const channel = await t.channel({ bare: true });
        const status = await channel.upgrade(request, 3000);
        t.check(status >= 400 || (status === 0 && channel.isEnded), `${name}: status ${status}`);
      });
      const port = portOf(t.program, t.variant.transport);
      const absolute = upgradeRequest(`http://127.0.0.1:${port}/mqtt`, { Host: `127.0.0.1:${port}` });
      const channel = await t.channel({ bare: true });
      t.check(
        (await channel.upgrade(absolute, 3000)) === 101,
        "a target in absolute form is refused (RFC 9112, 3.2.2)",
      );
      t.check((await statusOf(t, {})) === 101, "a right request after all this is refused");
    },
  },
  {
    id: "65",
    title: "packets in one segment with the request",
    expected: "not lost",
    cheap: true,
    on: WEBSOCKET,
    async run(t) {
      const first = encode(connectPacket({ version: 4, clientId: t.clientId(), ...credentials("mallory") }), 4);
      const channel = await t.channel({ bare: true });
      const answer = new Promise<Buffer>((resolve) => {
        channel.onData = resolve;
      });
      await channel.upgrade(Buffer.concat([Buffer.from(upgradeRequest("/mqtt")), frame(first)]));
      const connack = await Promise.race([answer, sleep(5000)]);
      t.check(connack?.[0] === 0x20 && connack[3] === 0, "no CONNACK came");
    },
  },
  {
    id: "66",
    title: "a token in the URL, a password in CONNECT",
    expected: "neither is ever logged",
    cheap: true,
    on: WEBSOCKET,
    async run(t) {
      const channel = await t.channel({ bare: true });
      await channel.upgrade(upgradeRequest("/mqtt?token=SECRET-IN-URL"), 3000);
      channel.sendRaw(frame(hex("00 00")));
      await channel.endsWithin(3000);
      const other = await t.channel({ bare: true });
      await other.upgrade(upgradeRequest("/wrong?token=SECRET-IN-URL"), 3000);
      const peer = await t.peer();
      await peer.connect({ username: "alice", password: Buffer.from("SECRET-IN-CONNECT") });
      const leaked = t.log.filter(({ text }) => /SECRET-IN|U0VDUkVULU/.test(text));
      t.check(leaked.length === 0, `logged: ${leaked[0]?.text.slice(0, 200)}`);
    },
  },
  {
    id: "67",
    title: "another protocol on each port",
    expected: "connection ended",
    cheap: true,
    on: { versions: [5] },
    async run(t) {
      const hello = hex("16 03 01 00 05 01 00 00 01 00");
      const get = Buffer.from("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
      const cases = {
        "a TLS ClientHello": hello,
        "an HTTP request": get,
        "CONNECT of MQTT": connect(),
        SSH: Buffer.from("SSH-2.0-x\r\n"),
      };
      await each(cases, async (name, bytes) => {
        // Below TLS where there is some.
        const bare = await t.bareSocket();
        bare.write(bytes.subarray(0, 1));
        await sleep(20);
        bare.write(bytes.subarray(1));
        const ended = await until(() => bare.destroyed, 13_000);
        const isRight = name === "CONNECT of MQTT" && t.variant.transport === "tcp";
        t.check(ended || isRight, `${name}: the connection stays open`);
        bare.destroy();
      });
    },
  },
];

function open(t: Context, headers: Readonly<Record<string, string | undefined>>): Promise<Channel> {
  return t.channel({ request: upgradeRequest("/mqtt", headers) });
}

async function statusOf(t: Context, headers: Readonly<Record<string, string | undefined>>): Promise<number> {
  const channel = await open(t, headers);
  channel.destroy();
  return channel.status;
}
