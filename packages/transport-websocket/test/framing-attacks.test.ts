import type { Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import type { CloseInfo, Connection, TransportError } from "@tidewire/transport";
import { type WebSocketListenerOptions, webSocket, webSocketListener } from "@tidewire/transport-websocket/node";
import { afterEach, describe, expect, it, vi } from "vitest";
import { certificate } from "../../transport-tcp/test/certificates.ts";
import { frame, Observed, rawSocket, upgradeRequest } from "./support.ts";

// Attacks 56 to 65 and 67, made by a bare socket: what breaks the rules of RFC 6455 ends its connection with the right
// code, and what only tries to be expensive is cheap. A connection that behaves goes on all the time.

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0)) {
    await end();
  }
});

interface Target {
  readonly port: number;
  readonly refused: TransportError[];
  readonly received: Buffer[];
  readonly closed: CloseInfo[];
  readonly connections: Connection[];
  /** A client that behaves is served. */
  check(): Promise<void>;
}

async function target(options: WebSocketListenerOptions = {}): Promise<Target> {
  const refused: TransportError[] = [];
  const received: Buffer[] = [];
  const closed: CloseInfo[] = [];
  const connections: Connection[] = [];
  const listener = await webSocketListener({
    host: "127.0.0.1",
    closeTimeoutMs: 500,
    onRefused: (error) => refused.push(error),
    ...options,
  })((connection) => {
    connections.push(connection);
    connection.start({
      onData: (chunk) => {
        received.push(Buffer.from(chunk));
        connection.send([chunk]);
      },
      onDrain() {},
      onClose: (info) => closed.push(info),
    });
  });
  ends.push(() => listener.close());
  const url = listener.addresses[0] ?? "";
  const check = async (): Promise<void> => {
    const client = new Observed(await webSocket(url)());
    client.connection.send([Buffer.from("here")]);
    await vi.waitFor(() => expect(client.bytes.toString()).toBe("here"), { timeout: 10_000 });
    client.connection.abort();
  };
  return { port: Number(new URL(url).port), refused, received, closed, connections, check };
}

/** A bare socket whose bytes and end are recorded. */
class Attacker {
  readonly socket: Socket;
  readonly ended: Promise<void>;
  #received = "";

  constructor(socket: Socket) {
    this.socket = socket;
    ends.push(() => socket.destroy());
    socket.on("error", () => {});
    socket.on("data", (chunk: Buffer) => {
      this.#received += chunk.toString("latin1");
    });
    this.ended = new Promise((resolve) => {
      socket.once("close", () => resolve());
    });
  }

  static async connect(port: number, bytes: string | Uint8Array = ""): Promise<Attacker> {
    const attacker = new Attacker(await rawSocket(port));
    attacker.socket.write(bytes);
    return attacker;
  }

  /** With the upgrade done. */
  static async upgraded(port: number): Promise<Attacker> {
    const attacker = await Attacker.connect(port, upgradeRequest("/mqtt"));
    await vi.waitFor(() => expect(attacker.status).toBe(101), { timeout: 10_000 });
    return attacker;
  }

  get received(): string {
    return this.#received;
  }

  get status(): number {
    return Number(/^HTTP\/1\.1 (\d+) /.exec(this.#received)?.[1]);
  }

  /** The code of the close frame that the server sent. */
  get closeCode(): number | undefined {
    const frames = Buffer.from(this.#received.split("\r\n\r\n").slice(1).join("\r\n\r\n"), "latin1");
    const at = frames.indexOf(0x88);
    return at < 0 || frames.length < at + 4 ? undefined : frames.readUInt16BE(at + 2);
  }
}

const unmasked = (opcode: number, payload: Uint8Array): Buffer => frame(opcode, payload, { masked: false });
const raw = (...bytes: number[]): Buffer => Buffer.from(bytes);
const close = (code: number, reason = ""): Buffer =>
  frame(8, Buffer.concat([raw(code >> 8, code & 0xff), Buffer.from(reason, "latin1")]));
const some = Buffer.alloc(10, 1);

describe("attack 58: frames against the rules", () => {
  it.each([
    ["a text message", frame(1, Buffer.from("hello")), 1003, "text-frame"],
    ["a text message that is no UTF-8", frame(1, raw(0xff, 0xfe)), 1003, "text-frame"],
    ["no mask", unmasked(2, some), 1002, "protocol"],
    ["RSV1 without compression", frame(2 | 0x40, some), 1002, "protocol"],
    ["RSV2", frame(2 | 0x20, some), 1002, "protocol"],
    ["RSV3", frame(2 | 0x10, some), 1002, "protocol"],
    ["opcode 3", frame(3, some), 1002, "protocol"],
    ["opcode 7", frame(7, some), 1002, "protocol"],
    ["opcode 11", frame(11, some), 1002, "protocol"],
    ["opcode 15", frame(15, some), 1002, "protocol"],
    ["a ping of 126 bytes", frame(9, Buffer.alloc(126)), 1002, "protocol"],
    ["a ping in fragments", frame(9, some, { final: false }), 1002, "protocol"],
    ["a close in fragments", frame(8, some, { final: false }), 1002, "protocol"],
    ["a close of one byte", frame(8, raw(3)), 1002, "protocol"],
    ["a continuation of nothing", frame(0, some), 1002, "protocol"],
    ["a message inside another", Buffer.concat([frame(2, some, { final: false }), frame(2, some)]), 1002, "protocol"],
    ["a length of 2^63", Buffer.concat([raw(0x82, 0xff, 0xff), Buffer.alloc(7), Buffer.alloc(4)]), 1009, undefined],
    ["a close with code 1005", close(1005), 1002, "protocol"],
    ["a close with code 999", close(999), 1002, "protocol"],
    ["a close with code 5000", close(5_000), 1002, "protocol"],
  ])("%s", async (_what, bytes, code, reason) => {
    const { port, closed, received, check } = await target();
    const attacker = await Attacker.upgraded(port);
    attacker.socket.write(bytes);
    await attacker.ended;
    expect(attacker.closeCode).toBe(code);
    await vi.waitFor(() => expect(closed.length).toBe(1));
    expect(closed[0]).toMatchObject({ initiator: "remote", clean: false });
    if (reason !== undefined) {
      expect(closed[0]).toMatchObject({ error: { code: reason } });
    }
    expect(received).toEqual([]);
    await check();
  });

  it("a close whose reason is no UTF-8 is an end all the same", async () => {
    const { port, closed, check } = await target();
    const attacker = await Attacker.upgraded(port);
    attacker.socket.write(close(1_000, "\xff\xfe"));
    await attacker.ended;
    await vi.waitFor(() => expect(closed).toMatchObject([{ initiator: "remote" }]));
    await check();
  });

  it("what follows a close is not delivered", async () => {
    const { port, closed, received } = await target();
    const attacker = await Attacker.upgraded(port);
    attacker.socket.write(Buffer.concat([close(1_000), frame(2, some)]));
    await attacker.ended;
    await vi.waitFor(() => expect(closed.length).toBe(1));
    expect(received).toEqual([]);
  });
});

describe("attacks 59 and 60: messages that never end", () => {
  const fragments = (count: number, size: number): Buffer =>
    Buffer.concat([
      frame(2, Buffer.alloc(size), { final: false }),
      ...Array.from({ length: count - 1 }, () => frame(0, Buffer.alloc(size), { final: false })),
    ]);

  it.each([
    ["fragments of one byte", fragments(200, 1), 1008, "protocol"],
    ["fragments of nothing", fragments(200, 0), 1008, "protocol"],
    ["fragments of 4 KiB", fragments(20, 4_096), 1009, "input-limit"],
    ["one frame", frame(2, Buffer.alloc(70_000), { length: 1_000_000 }), 1009, "input-limit"],
    ["a frame announced with 256 MiB and more", frame(2, some, { length: 300_000_000 }), 1009, "message-too-big"],
  ])("%s", async (_what, bytes, code, reason) => {
    const { port, closed, check } = await target();
    const attacker = await Attacker.upgraded(port);
    attacker.socket.write(bytes);
    await attacker.ended;
    expect(attacker.closeCode).toBe(code);
    await vi.waitFor(() => expect(closed).toMatchObject([{ clean: false, error: { code: reason } }]));
    await check();
  });

  // 100 unfinished frames before CONNECT took 393 MB.
  it("holds at most 64 KiB of each of 100 of them, and a chunk", async () => {
    const { port, connections, check } = await target();
    const attackers = await Promise.all(Array.from({ length: 100 }, () => Attacker.upgraded(port)));
    for (const { socket } of attackers) {
      socket.write(frame(2, Buffer.alloc(60_000), { length: 4_000_000 }));
    }
    await vi.waitFor(() => expect(connections.every(({ pendingInput }) => pendingInput >= 60_000)).toBe(true), {
      timeout: 10_000,
    });
    for (const { socket } of attackers) {
      socket.write(Buffer.alloc(400_000));
    }
    await Promise.all(attackers.map(({ ended }) => ended));
    expect(connections.map(({ pendingInput }) => pendingInput)).toEqual(new Array(100).fill(0));
    await check();
  });

  it("a frame in segments of one byte counts for the memory that they take", async () => {
    const { port, closed, check } = await target();
    const attacker = await Attacker.upgraded(port);
    attacker.socket.setNoDelay(true);
    attacker.socket.write(frame(2, some, { length: 60_000 }));
    let written = 0;
    const drip = (): void => {
      if (!attacker.socket.destroyed && written < 50_000) {
        written += 1;
        attacker.socket.write(raw(0));
        setImmediate(drip);
      }
    };
    drip();
    await attacker.ended;
    await vi.waitFor(() => expect(closed).toMatchObject([{ error: { code: "input-limit" } }]));
    await check();
  });

  // The limit of a message was 4 MiB, whatever the packet limit.
  it("takes a message of 9 MiB once that much is allowed", async () => {
    const { port, connections, received } = await target();
    const attacker = await Attacker.upgraded(port);
    await vi.waitFor(() => expect(connections.length).toBe(1));
    connections[0]?.allowInput(10 * 1_048_576);
    attacker.socket.write(frame(2, Buffer.alloc(9 * 1_048_576)));
    await vi.waitFor(() => expect(received.map(({ length }) => length)).toEqual([9 * 1_048_576]), { timeout: 10_000 });
  });
});

it("attack 61: compression that was not agreed on is not begun by the server", async () => {
  const { port } = await target();
  const attacker = await Attacker.connect(
    port,
    upgradeRequest("/mqtt", {
      "Sec-WebSocket-Extensions": "permessage-deflate; client_max_window_bits=8; server_max_window_bits=8",
    }),
  );
  await vi.waitFor(() => expect(attacker.status).toBe(101));
  expect(attacker.received.toLowerCase()).not.toContain("sec-websocket-extensions");
});

it.each([
  "permessage-deflate; server_max_window_bits=7",
  "permessage-deflate; client_max_window_bits=16",
  "permessage-deflate; server_max_window_bits=10; server_max_window_bits=11",
  "permessage-deflate; unknown",
])("attack 61: an offer of `%s` is refused where compression is on", async (offer) => {
  const { port, check } = await target({ perMessageDeflate: true });
  const attacker = await Attacker.connect(port, upgradeRequest("/mqtt", { "Sec-WebSocket-Extensions": offer }));
  await vi.waitFor(() => expect(attacker.status).toBe(400));
  await check();
});

it("attack 62: a flood of pings ends its connection, and a few of them are answered", async () => {
  const { port, closed, check } = await target();
  const attacker = await Attacker.upgraded(port);
  attacker.socket.write(Buffer.concat(Array.from({ length: 10_000 }, () => frame(9, raw(7)))));
  await check();
  await attacker.ended;
  await vi.waitFor(() => expect(closed.some(({ error }) => (error as TransportError)?.code === "protocol")).toBe(true));
  const honest = await Attacker.upgraded(port);
  honest.socket.write(Buffer.concat(Array.from({ length: 10 }, () => frame(9, raw(7)))));
  await vi.waitFor(() => expect(honest.received.split("\x8a\x01\x07").length - 1).toBe(10));
});

it("attack 63: control frames between the fragments of a message leave it whole", async () => {
  const { port, received } = await target();
  const attacker = await Attacker.upgraded(port);
  attacker.socket.write(
    Buffer.concat([
      frame(2, Buffer.from("one "), { final: false }),
      frame(9, some),
      frame(0, Buffer.from("two "), { final: false }),
      frame(10, some),
      frame(0, Buffer.from("three")),
    ]),
  );
  await vi.waitFor(() => expect(received.map(String)).toEqual(["one two three"]));
});

it("attack 64: a client that is silent after the upgrade is the broker's to judge, and costs no more", async () => {
  const { port, connections, refused, check } = await target({ handshakeTimeoutMs: 100 });
  const attacker = await Attacker.upgraded(port);
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect(attacker.socket.destroyed).toBe(false);
  expect([connections.length, refused.length]).toEqual([1, 0]);
  await check();
});

it("attack 65: what comes with the upgrade request is kept, in order, and counted", async () => {
  const { port, received, closed } = await target();
  const bytes = Buffer.concat([
    Buffer.from(upgradeRequest("/mqtt")),
    frame(2, Buffer.from("a")),
    frame(2, Buffer.from("b")),
  ]);
  const attacker = await Attacker.connect(port, bytes);
  await vi.waitFor(() => expect(received.map(String)).toEqual(["a", "b"]));
  attacker.socket.destroy();
  const flood = Buffer.concat([
    Buffer.from(upgradeRequest("/mqtt")),
    frame(2, Buffer.alloc(100_000), { length: 1_000_000 }),
  ]);
  await (await Attacker.connect(port, flood)).ended;
  await vi.waitFor(() =>
    expect(closed.some(({ error }) => (error as TransportError)?.code === "input-limit")).toBe(true),
  );
});

describe("attacks 56 and 57: the request", () => {
  it.each([
    ["a list of subprotocols of 12 kB", { "Sec-WebSocket-Protocol": `${"x,".repeat(6_000)}mqtt` }, [101, 400]],
    ["a subprotocol behind 10,000 spaces", { "Sec-WebSocket-Protocol": `${" ".repeat(10_000)}mqtt` }, [101, 400]],
    ["a subprotocol in capitals", { "Sec-WebSocket-Protocol": "MQTT" }, [400]],
    ["a header of 64 kB", { "X-Long": "y".repeat(65_536) }, [431]],
    ["2,000 headers", Object.fromEntries(Array.from({ length: 1_990 }, (_, i) => [`X${i.toString(36)}`, "y"])), [431]],
    ["a line feed alone between headers", { "X-A": "b\nTransfer-Encoding: chunked" }, [400]],
    ["a space before the colon", { "X-A ": "b" }, [400]],
    ["Content-Length and Transfer-Encoding", { "Content-Length": "4", "Transfer-Encoding": "chunked" }, [400]],
    ["two Content-Lengths", { "Content-Length": "4\r\nContent-Length: 5" }, [400]],
    ["a chunked body", { "Transfer-Encoding": "chunked" }, [400]],
    ["another upgrade", { Upgrade: "h2c" }, [400]],
    ["version 7", { "Sec-WebSocket-Version": "7" }, [400]],
  ])("%s", async (_what, headers, statuses) => {
    const { port, check } = await target();
    const attacker = await Attacker.connect(port, upgradeRequest("/mqtt", headers as Record<string, string>));
    await vi.waitFor(() => expect(statuses).toContain(attacker.status), { timeout: 10_000 });
    await check();
  });

  it("an upgrade behind another request is not looked at (request smuggling)", async () => {
    const { port, connections, refused } = await target();
    const attacker = await Attacker.connect(
      port,
      `POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 0\r\n\r\n${upgradeRequest("/mqtt")}`,
    );
    await attacker.ended;
    expect(attacker.status).toBe(426);
    expect(attacker.received).not.toContain("101 Switching");
    expect(connections).toEqual([]);
    expect(refused).toMatchObject([{ code: "handshake-failed" }]);
  });

  it("a POST is told that the method is wrong", async () => {
    const { port } = await target();
    const attacker = await Attacker.connect(port, upgradeRequest("/mqtt").replace("GET", "POST"));
    await attacker.ended;
    expect(attacker.status).toBe(405);
  });
});

describe("attack 67: another protocol on the port", () => {
  it.each([
    ["a raw CONNECT", raw(0x10, 0x0c, 0, 4, 0x4d, 0x51, 0x54, 0x54, 4, 2, 0, 0, 0, 0)],
    ["a TLS ClientHello", raw(0x16, 3, 1, 0, 200, 1, 0, 0, 196, 3, 3)],
    ["a PROXY header", Buffer.from("PROXY TCP4 192.0.2.7 192.0.2.1 51000 1883\r\n")],
  ])("%s is answered with 400 and ended", async (_what, bytes) => {
    const { port, refused, check } = await target();
    const attacker = await Attacker.connect(port, bytes);
    await attacker.ended;
    expect(attacker.status).toBe(400);
    await vi.waitFor(() => expect(refused).toMatchObject([{ code: "handshake-failed" }]));
    await check();
  });
});

describe("PROXY headers (attack 52)", () => {
  const v1 = "PROXY TCP4 203.0.113.9 192.0.2.1 51000 1883\r\n";

  it("from a trusted proxy tell the client, also when the request comes with them", async () => {
    const { port, connections } = await target({ proxyProtocol: { trusted: ["127.0.0.1"] } });
    await Attacker.connect(port, v1 + upgradeRequest("/mqtt"));
    await vi.waitFor(() => expect(connections[0]?.info.remoteAddress).toBe("203.0.113.9:51000"));
    const slow = await Attacker.connect(port, v1);
    await new Promise((resolve) => setTimeout(resolve, 30));
    slow.socket.write(upgradeRequest("/mqtt"));
    await vi.waitFor(() => expect(connections[1]?.info.remoteAddress).toBe("203.0.113.9:51000"));
  });

  it("come before TLS", async () => {
    const server = await certificate("server");
    const { port, connections } = await target({ proxyProtocol: { trusted: ["127.0.0.1"] }, tls: server });
    const socket = await rawSocket(port);
    ends.push(() => socket.destroy());
    socket.write(v1);
    const secured = connectTls({ socket, ca: server.cert, servername: "localhost" });
    secured.on("error", () => {}).write(upgradeRequest("/mqtt", { Host: "localhost" }));
    await vi.waitFor(() => expect(connections[0]?.info).toMatchObject({ secure: true, transport: "wss" }));
    expect(connections[0]?.info.remoteAddress).toBe("203.0.113.9:51000");
  });

  it.each([
    ["forged", "203.0.113.9", "127.0.0.1"],
    ["not an address", "unknown", "127.0.0.1"],
    ["with a port", "203.0.113.9:4000", "203.0.113.9"],
    ["IPv6 with a port", "[2001:db8::7]:4000", "[2001:db8::7]"],
    ["a list whose start anybody can write", "10.9.9.9, 203.0.113.9", "203.0.113.9"],
  ])("X-Forwarded-For that is %s", async (what, header, address) => {
    const trustedProxies = [what === "forged" ? "192.0.2.1" : "127.0.0.1"];
    const { port, connections } = await target({ trustedProxies });
    await Attacker.connect(port, upgradeRequest("/mqtt", { "X-Forwarded-For": header }));
    await vi.waitFor(() => expect(connections.length).toBe(1));
    expect(connections[0]?.info.remoteAddress?.replace(/^127\.0\.0\.1:\d+$/, "127.0.0.1")).toBe(address);
  });
});

describe("pings", () => {
  it("find a peer that vanished, and keep one that answers", async () => {
    const { port, closed, connections } = await target({ pingIntervalMs: 640 });
    const dead = await Attacker.upgraded(port);
    const alive = await Attacker.upgraded(port);
    const answer = setInterval(() => alive.socket.write(frame(10, Buffer.alloc(0))), 50);
    ends.push(() => clearInterval(answer));
    await dead.ended;
    expect(dead.received).toContain("\x89\x00");
    await vi.waitFor(() => expect(closed).toMatchObject([{ clean: false, error: { code: "timeout" } }]));
    expect(connections.length).toBe(2);
    expect(alive.socket.destroyed).toBe(false);
  });

  it("do not end a peer that is not read from", async () => {
    const { port, closed, connections } = await target({ pingIntervalMs: 320 });
    await Attacker.upgraded(port);
    connections[0]?.pause();
    await new Promise((resolve) => setTimeout(resolve, 1_200));
    expect(closed).toEqual([]);
  });
});
