import { encode, type Packet } from "@tidewire/codec";
import type { Protocol, ProtocolEnd } from "@tidewire/session";
import type { Connection, ConnectionHandler } from "@tidewire/transport";
import { VirtualScheduler } from "@tidewire/transport-mock";
import { describe, expect, test } from "vitest";
import { createClientLinkLoop, createLinkLoop } from "./create-link-loop.ts";
import type { LinkLimits } from "./limits.ts";
import type { Link, LinkHandler } from "./link.ts";

// A link between a connection and a protocol that note each call: what it does, and what it does not.

class Wire implements Connection {
  readonly info = { protocol: "mock", secure: false } as unknown as Connection["info"];
  readonly calls: string[] = [];
  bufferedAmount = 0;
  takesMore = true;
  readonly pendingInput = 0;
  handler!: ConnectionHandler;

  start(handler: ConnectionHandler): void {
    this.handler = handler;
  }

  allowInput(): void {}

  send(chunks: readonly Uint8Array[]): boolean {
    this.calls.push(`send ${chunks.reduce((sum, { length }) => sum + length, 0)}`);
    return this.takesMore;
  }

  pause(): void {
    this.calls.push("pause");
  }

  resume(): void {
    this.calls.push("resume");
  }

  close(): void {
    this.calls.push("close");
  }

  abort(): void {
    this.calls.push("abort");
  }
}

class Script implements Protocol {
  readonly version = 5;
  readonly calls: string[] = [];
  end: ProtocolEnd | undefined;
  promised = false;
  deadline = Number.POSITIVE_INFINITY;
  onReceive: (packet: Packet) => void = () => {};
  onTick: () => void = () => {};

  receive(packet: Packet): void {
    this.calls.push(`receive ${packet.type}`);
    this.onReceive(packet);
  }

  receiveError(error: Error & { code?: string }): void {
    this.calls.push(`error ${error.code}`);
    this.end = { kind: "violation", reasonCode: 0x81, error, flush: true } as unknown as ProtocolEnd;
  }

  receiveEnd(): void {
    this.calls.push("end");
  }

  holdInput(held: boolean): void {
    if (held) {
      this.calls.push("held");
    }
  }

  fail(error: Error): void {
    this.calls.push(`fail ${error.message}`);
  }

  tick(now: number): void {
    this.calls.push(`tick ${now}`);
    this.deadline = Number.POSITIVE_INFINITY;
    this.onTick();
  }

  nextDeadline(): number {
    return this.deadline;
  }
}

const PING = encode({ type: 12 }, 5);

function setUp(limits: Partial<LinkLimits> = {}, handler?: LinkHandler) {
  const scheduler = new VirtualScheduler();
  const errors: unknown[] = [];
  const loop = createLinkLoop({ scheduler, limits, onError: (error) => errors.push(error) });
  const [wire, script] = [new Wire(), new Script()];
  let writer!: { write(packet: Packet): void };
  const link: Link<Script> = loop.attach<Script>(wire, {
    decoder: { sender: "client", version: 5 },
    createProtocol: (given) => {
      writer = given;
      return script;
    },
    ...(handler && { handler }),
  });
  scheduler.run();
  return { scheduler, loop, wire, script, link, errors, write: () => writer.write({ type: 12 }) };
}

function pings(count: number): Uint8Array {
  return Uint8Array.from({ length: 2 * count }, (_, index) => PING[index % 2] as number);
}

describe("input", () => {
  test("of more than a turn's share pauses the connection, once, until all of it is read", () => {
    const { wire, script, scheduler } = setUp({ packetsPerTurn: 2 });
    wire.handler.onData(pings(2));
    expect(wire.calls).toEqual(["pause"]);
    wire.handler.onData(pings(2));
    expect([wire.calls, script.calls.length]).toEqual([["pause"], 2]);
    scheduler.advance(0);
    expect([wire.calls, script.calls.length]).toEqual([["pause", "resume"], 4]);
  });

  test("of no more than that pauses nothing", () => {
    const { wire, script } = setUp({ packetsPerTurn: 2 });
    wire.handler.onData(pings(1));
    expect([wire.calls, script.calls]).toEqual([[], ["receive 12"]]);
  });

  test("held back with nothing left leaves the connection as it is, so that a peer that hangs up is noticed", () => {
    const closed: string[] = [];
    const { wire, script, link } = setUp({}, { onClosed: () => closed.push("closed") });
    script.onReceive = () => link.pause();
    wire.handler.onData(pings(1));
    expect(wire.calls).toEqual([]);
    wire.handler.onClose({ initiator: "remote", clean: true });
    expect([script.calls, closed]).toEqual([["receive 12", "held", "end"], ["closed"]]);
  });

  // Attack 54: a client that sent more behind its CONNECT and hung up had its password checked all the same.
  test("held back goes on reading the connection, and pauses it once more waits than `readAheadBytes`", () => {
    const { wire, script, link, scheduler } = setUp({ readAheadBytes: 6 });
    script.onReceive = () => link.pause();
    wire.handler.onData(pings(3));
    wire.handler.onData(pings(1));
    expect([wire.calls, link.unreadBytes]).toEqual([[], 6]);
    wire.handler.onData(pings(1));
    expect([wire.calls, link.unreadBytes]).toEqual([["pause"], 8]);
    script.onReceive = () => {};
    link.resume();
    scheduler.advance(0);
    expect([wire.calls, script.calls.filter((call) => call === "receive 12").length]).toEqual([["pause", "resume"], 5]);
  });

  test("held back outlives the connection: the handler hears of the end at once, and the rest is read", () => {
    const told: string[] = [];
    const { wire, script, link, scheduler } = setUp(
      {},
      {
        onHangup: (error) => {
          told.push(`hangup ${error?.message}`);
          return "read";
        },
        onClosed: () => told.push("closed"),
      },
    );
    script.onReceive = () => link.pause();
    wire.handler.onData(pings(2));
    wire.handler.onClose({ initiator: "remote", clean: true });
    expect([script.calls, told]).toEqual([["receive 12", "held"], ["hangup undefined"]]);
    script.onReceive = () => {};
    link.resume();
    scheduler.advance(0);
    expect([script.calls, told]).toEqual([
      ["receive 12", "held", "receive 12", "end"],
      ["hangup undefined", "closed"],
    ]);
  });

  test("that nobody wants after the connection has closed is dropped, and the link ends", () => {
    for (const limits of [{}, { packetsPerTurn: 1 }]) {
      const told: string[] = [];
      const { wire, script, link, loop, scheduler } = setUp(limits, {
        onHangup: () => "drop",
        onClosed: () => told.push("closed"),
      });
      script.onReceive = () => "packetsPerTurn" in limits || link.pause();
      wire.handler.onData(pings(2));
      wire.handler.onClose({ initiator: "remote", clean: true });
      scheduler.advance(0);
      expect([script.calls.at(-1), script.calls.filter((call) => call === "receive 12").length]).toEqual(["end", 1]);
      expect([told, loop.size]).toEqual([["closed"], 0]);
    }
  });

  test("whose end makes the handler throw ends its own link alone", () => {
    const onHangup = () => {
      throw new Error("hangup");
    };
    const { wire, script, link, errors, loop, scheduler } = setUp({}, { onHangup });
    script.onReceive = () => link.pause();
    wire.handler.onData(pings(2));
    wire.handler.onClose({ initiator: "remote", clean: true });
    expect(errors).toEqual([new Error("hangup")]);
    link.resume();
    scheduler.advance(0);
    expect(loop.size).toBe(0);
  });

  test("is nobody's after close and abort were called on the connection, or the protocol ended", () => {
    for (const finish of ["close", "abort", "end"] as const) {
      const { wire, script, link, scheduler } = setUp({ packetsPerTurn: 1 });
      wire.handler.onData(pings(3));
      if (finish === "end") {
        script.end = { kind: "local", flush: true } as unknown as ProtocolEnd;
        link.touch();
      } else {
        link[finish]();
      }
      scheduler.advance(0);
      const read = script.calls.length;
      wire.handler.onData(pings(1));
      scheduler.advance(0);
      expect(script.calls).toHaveLength(read);
      expect(link.writable).toBe(false);
    }
  });

  test("longer than `limitPackets` allows is an error of the protocol", () => {
    const { wire, script, link } = setUp();
    link.limitPackets(10);
    const payload = new Uint8Array(20);
    wire.handler.onData(
      encode(
        { type: 3, topic: "t", payload, qos: 0, retain: false, dup: false, packetId: 0, properties: undefined },
        5,
      ),
    );
    expect(script.calls).toEqual(["error packet-too-large"]);
  });

  test("resumed while it is being read goes on without a second reader", () => {
    const { wire, script, link, scheduler } = setUp();
    script.onReceive = () => {
      link.pause();
      link.resume();
    };
    wire.handler.onData(pings(3));
    expect(script.calls.filter((call) => call === "receive 12")).toHaveLength(3);
    scheduler.advance(0);
    expect(script.calls.filter((call) => call === "receive 12")).toHaveLength(3);
  });
});

describe("the end", () => {
  test("by close: what is written leaves first, and later bytes do not", () => {
    const { wire, link, scheduler, write } = setUp();
    write();
    link.close();
    scheduler.run();
    expect(wire.calls).toEqual(["send 2", "close"]);
    write();
    link.touch();
    scheduler.run();
    expect(wire.calls).toEqual(["send 2", "close"]);
    expect(link.pendingBytes).toBe(0);
  });

  test("of a protocol that wants nothing flushed aborts, and sends nothing", () => {
    const { wire, script, link, scheduler, write } = setUp();
    write();
    script.end = { kind: "local", flush: false, error: undefined } as unknown as ProtocolEnd;
    link.touch();
    scheduler.run();
    expect(wire.calls).toEqual(["abort"]);
  });

  test("by abort, after the connection has closed, calls nothing on it any more", () => {
    const { wire, script, link, loop, scheduler } = setUp({ packetsPerTurn: 1 });
    wire.handler.onData(pings(3));
    wire.handler.onClose({ initiator: "remote", clean: true });
    link.abort();
    expect([wire.calls.includes("abort"), loop.size, script.calls.includes("end")]).toEqual([false, 1, false]);
    scheduler.advance(0);
    // All that came is read before the end is told, and the link is gone then.
    expect(script.calls).toEqual(["receive 12", "receive 12", "receive 12", "end"]);
    expect(loop.size).toBe(0);
    link.abort();
    wire.handler.onClose({ initiator: "remote", clean: true });
    expect([wire.calls.includes("abort"), script.calls.filter((call) => call === "end").length]).toEqual([false, 1]);
  });
});

describe("time", () => {
  test("a deadline that moved away is waited for anew", () => {
    const { script, link, scheduler } = setUp();
    script.deadline = scheduler.now() + 100;
    link.touch();
    scheduler.advance(50);
    script.deadline += 100;
    scheduler.advance(100);
    expect(script.calls).toEqual([]);
    scheduler.advance(50);
    expect(script.calls).toEqual([`tick ${scheduler.now()}`]);
  });

  test("a link without anything to do has no timer, and one that is over none either", () => {
    const { script, wire, link, scheduler } = setUp();
    expect(scheduler.nextAtMs).toBeUndefined();
    script.deadline = scheduler.now() + 100;
    link.touch();
    scheduler.advance(1);
    expect(scheduler.nextAtMs).toBeDefined();
    link.abort();
    wire.handler.onClose({ initiator: "local", clean: false });
    scheduler.advance(0);
    expect(scheduler.nextAtMs).toBeUndefined();
  });

  test("what a tick throws is reported, and the protocol is told", () => {
    const { script, link, scheduler, errors } = setUp();
    const error = new Error("late");
    script.onTick = () => {
      throw error;
    };
    script.deadline = scheduler.now() + 1;
    link.touch();
    scheduler.advance(1);
    expect(errors).toEqual([error]);
    expect(script.calls.at(-1)).toBe("fail late");
  });
});

describe("a full transport", () => {
  test("holds the peer's clock, tells when there is room, and reads what waited", () => {
    const told: string[] = [];
    const { wire, script, link, scheduler, write } = setUp(
      { pauseInputAboveBytes: 0 },
      { onWritable: () => told.push("writable") },
    );
    wire.takesMore = false;
    script.onReceive = () => write();
    const received = () => script.calls.filter((call) => call === "receive 12").length;
    wire.handler.onData(pings(3));
    scheduler.advance(0);
    // The answer to the first waits, and the other two for it.
    expect(wire.calls).toEqual(["pause", "send 2"]);
    expect([link.writable, script.calls.at(-1), received()]).toEqual([false, "held", 1]);
    wire.handler.onData(pings(1));
    scheduler.advance(0);
    expect([received(), told]).toEqual([1, []]);
    wire.takesMore = true;
    wire.handler.onDrain();
    expect([link.writable, told, received()]).toEqual([true, ["writable"], 2]);
    // What left makes room for the next, until none is left.
    scheduler.advance(0);
    expect(received()).toBe(4);
    expect(wire.calls.filter((call) => call === "pause" || call === "resume")).toEqual(["pause", "resume"]);
  });

  test("that takes no byte for too long is given up, and one that takes some is not", () => {
    const { wire, link, scheduler, write } = setUp({ stalledAfterMs: 1_000 });
    wire.takesMore = false;
    wire.bufferedAmount = 2;
    write();
    link.touch();
    scheduler.advance(999);
    wire.bufferedAmount = 1;
    scheduler.advance(1_000);
    expect(wire.calls).toEqual(["send 2"]);
    scheduler.advance(1_001);
    expect(wire.calls).toEqual(["send 2", "abort"]);
  });
});

test("a transport that throws where it must not ends its link, and everybody is told", () => {
  const { wire, script, link, loop, scheduler, errors, write } = setUp();
  wire.send = () => {
    throw new Error("send");
  };
  write();
  link.touch();
  scheduler.run();
  expect([wire.calls, (errors[0] as Error).message]).toEqual([["abort"], "send"]);
  wire.handler.onClose({ initiator: "local", clean: false });
  expect([script.calls.at(-1), loop.size]).toEqual(["end", 0]);
});

test("a transport that throws when it is paused or resumed ends its link as well, and what it brought is not read", () => {
  for (const method of ["pause", "resume"] as const) {
    const { wire, script, loop, scheduler, errors } = setUp({ packetsPerTurn: 1 });
    wire[method] = () => {
      throw new Error(method);
    };
    wire.handler.onData(pings(2));
    scheduler.advance(0);
    expect([errors.length, (errors[0] as Error).message, wire.calls.includes("abort")]).toEqual([1, method, true]);
    const read = script.calls.length;
    wire.handler.onClose({ initiator: "local", clean: false });
    scheduler.advance(0);
    expect([script.calls.length, script.calls.at(-1), loop.size]).toEqual([read + 1, "end", 0]);
  }
});

test("a transport that throws when its connection is gone already ends its link, and everybody is told", () => {
  const closed: string[] = [];
  const { wire, script, loop, scheduler, errors } = setUp(
    { packetsPerTurn: 1 },
    { onHangup: () => "read", onClosed: () => closed.push("closed") },
  );
  wire.resume = () => {
    throw new Error("resume");
  };
  wire.handler.onData(pings(2));
  wire.handler.onClose({ initiator: "remote", clean: true });
  scheduler.advance(0);
  expect([errors.map((error) => (error as Error).message), script.calls.at(-1)]).toEqual([["resume"], "end"]);
  expect([closed, loop.size]).toEqual([["closed"], 0]);
});

test("a link with nothing to send is not full for it", () => {
  const { wire, script, link, scheduler } = setUp();
  wire.takesMore = false;
  link.touch();
  scheduler.run();
  expect([wire.calls, script.calls, link.writable]).toEqual([[], [], true]);
});

test("a loop for clients reads what servers send", () => {
  const scheduler = new VirtualScheduler();
  const [wire, script] = [new Wire(), new Script()];
  createClientLinkLoop({ scheduler }).attach(wire, {
    decoder: { sender: "server", version: 5 },
    createProtocol: () => script,
  });
  wire.handler.onData(encode({ type: 13 }, 5));
  expect(script.calls).toEqual(["receive 13"]);
});
