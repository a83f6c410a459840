import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { TransportError } from "../errors.ts";
import { type HandshakeOptions, Handshakes } from "./handshakes.ts";

// The attacks are those numbered 48, 49 and 54: handshakes that are begun and never ended.

let handshakes: Handshakes;
let refused: [code: string, address: string | undefined][];
const ends: (() => void)[] = [];

beforeEach(() => {
  refused = [];
});

afterEach(() => {
  for (const end of ends.splice(0)) {
    end();
  }
  vi.useRealTimers();
});

/** A socket as far as it is looked at: tests need hundreds of them, from addresses that this machine has not. */
class FakeSocket {
  static ports = 1_000;
  readonly localAddress = "192.0.2.1";
  readonly localPort = 8883;
  readonly remoteAddress: string;
  readonly remotePort: number;
  bytesRead = 0;
  destroyed = false;
  readonly #onClose = new Set<() => void>();

  constructor(remoteAddress: string) {
    this.remoteAddress = remoteAddress;
    FakeSocket.ports += 1;
    this.remotePort = FakeSocket.ports;
  }

  once(_event: "close", listener: () => void): void {
    this.#onClose.add(listener);
  }

  off(_event: "close", listener: () => void): void {
    this.#onClose.delete(listener);
  }

  destroy(): void {
    this.destroyed = true;
    for (const listener of this.#onClose) {
      this.#onClose.delete(listener);
      listener();
    }
  }
}

function limited(options: HandshakeOptions): void {
  handshakes = new Handshakes({
    onRefused: ({ code }: TransportError, address) => refused.push([code, address?.replace(/:\d+$/, "")]),
    ...options,
  });
  ends.push(() => handshakes.release());
}

function begin(address: string, bytesRead = 0, exempt = false): FakeSocket {
  const socket = new FakeSocket(address);
  socket.bytesRead = bytesRead;
  handshakes.begin(socket as unknown as Socket, exempt);
  return socket;
}

describe("Handshakes", () => {
  it("makes room for a newcomer by the oldest silent one of the address that has most", () => {
    limited({ pendingHandshakes: 5 });
    const honest = begin("198.51.100.1");
    const talking = begin("203.0.113.9", 300);
    const silent = [begin("203.0.113.9"), begin("203.0.113.9"), begin("203.0.113.9")];
    const newcomer = begin("198.51.100.2");
    expect([honest, talking, newcomer, ...silent].map(({ destroyed }) => destroyed)).toEqual([
      ...[false, false, false],
      ...[true, false, false],
    ]);
    expect(handshakes.size).toBe(5);
    expect(refused).toEqual([["crowded", "203.0.113.9"]]);
  });

  it("never ends the newcomer, even when all others have sent a byte (Slowloris)", () => {
    limited({ pendingHandshakes: 3 });
    const dripping = [1, 2, 3].map(() => begin("203.0.113.9", 1));
    const newcomer = begin("203.0.113.9");
    expect(newcomer.destroyed).toBe(false);
    expect(dripping.map(({ destroyed }) => destroyed)).toEqual([true, false, false]);
  });

  it("limits one address, an IPv6 address by its /64, and leaves others alone", () => {
    limited({ pendingHandshakesPerAddress: 2 });
    const other = begin("2001:db8:0:2::1");
    const sockets = [1, 2, 3, 4].map((n) => begin(`2001:db8:0:1::${n}`));
    expect(sockets.map(({ destroyed }) => destroyed)).toEqual([true, true, false, false]);
    expect(other.destroyed).toBe(false);
  });

  it("does not limit proxies by their own address, and their clients by theirs", () => {
    limited({ pendingHandshakesPerAddress: 2 });
    const sockets = [1, 2, 3, 4].map(() => begin("10.0.0.1", 0, true));
    expect(sockets.some(({ destroyed }) => destroyed)).toBe(false);
    for (const socket of sockets.slice(0, 3)) {
      handshakes.identify(socket as unknown as Socket, "203.0.113.9:4000");
    }
    expect(sockets.map(({ destroyed }) => destroyed)).toEqual([true, false, false, false]);
    expect(refused).toEqual([["crowded", "203.0.113.9"]]);
  });

  it("ends each when its time is over, whatever it sends", () => {
    vi.useFakeTimers();
    limited({ handshakeTimeoutMs: 10_000 });
    const first = begin("203.0.113.9", 1);
    vi.advanceTimersByTime(6_000);
    const second = begin("203.0.113.9", 1);
    first.bytesRead += 1;
    vi.advanceTimersByTime(4_100);
    expect([first.destroyed, second.destroyed]).toEqual([true, false]);
    vi.advanceTimersByTime(6_000);
    expect(second.destroyed).toBe(true);
    expect(refused.map(([code]) => code)).toEqual(["timeout", "timeout"]);
    expect(vi.getTimerCount()).toBe(0);
  });

  // A process stopped for half a minute cut the clients whose bytes lay in the socket.
  it("does not count the time in which the process stood still", () => {
    vi.useFakeTimers();
    limited({ handshakeTimeoutMs: 10_000 });
    const socket = begin("203.0.113.9", 300);
    // The timer is due at its time and runs half a minute late.
    const start = performance.now();
    const clock = vi.spyOn(performance, "now").mockImplementation(() => start + 42_000);
    vi.advanceTimersByTime(10_100);
    expect(socket.destroyed).toBe(false);
    clock.mockRestore();
  });

  it("says whether the peer left without a byte or in the middle, once", () => {
    limited({});
    begin("203.0.113.9").destroy();
    begin("203.0.113.9", 5).destroy();
    const done = begin("203.0.113.9", 500);
    handshakes.end(done as unknown as Socket);
    done.destroy();
    expect(refused.map(([code]) => code)).toEqual(["probe", "closed"]);
    expect(handshakes.size).toBe(0);
  });

  it("survives an `onRefused` that throws", () => {
    limited({
      onRefused: () => {
        throw new Error("full disk");
      },
    });
    begin("203.0.113.9").destroy();
    begin("203.0.113.9").destroy();
    expect(handshakes.size).toBe(0);
  });

  it("judges after what lies in the socket was read", async () => {
    limited({ handshakeTimeoutMs: 50 });
    const server = createServer((socket) => {
      handshakes.begin(socket);
      socket.on("data", () => handshakes.end(socket));
    });
    ends.push(() => server.close());
    await new Promise<void>((resolve) => {
      server.listen(0, "127.0.0.1", resolve);
    });
    const client = connect((server.address() as AddressInfo).port, "127.0.0.1");
    ends.push(() => client.destroy());
    client.on("error", () => {});
    await vi.waitFor(() => expect(handshakes.size).toBe(1));
    client.write("hello");
    // The loop is busy beyond the deadline: the bytes are there, and nobody has read them.
    const end = performance.now() + 200;
    while (performance.now() < end) {}
    await vi.waitFor(() => expect(handshakes.size).toBe(0));
    expect(refused).toEqual([]);
  });
});
