import { describe, expect, test, vi } from "vitest";
import { Bench, Gate, message, type Peers } from "./links.ts";

describe("a link", () => {
  test("carries a session from CONNECT to DISCONNECT and tells both ends once", () => {
    const bench = new Bench({ network: { latencyMs: 5, chunking: "random" } });
    const onClosed = vi.fn();
    const peers = bench.connect({ serverLink: { onClosed }, clientLink: { onClosed } });
    bench.network.run();
    expect(peers.client.protocol.state).toBe("connected");
    for (const qos of [0, 1, 2] as const) {
      peers.publish(message(`q${qos}`, qos));
    }
    bench.network.run();
    expect(peers.received).toEqual(["q0", "q1", "q2"]);
    expect(peers.settled).toBe(2);
    peers.client.protocol.disconnect(0, bench.clientLoop.now);
    peers.client.touch();
    bench.network.run();
    expect(peers.ends.client?.kind).toBe("local");
    expect(peers.ends.server).toMatchObject({ kind: "remote", reasonCode: 0 });
    expect(onClosed).toHaveBeenCalledTimes(2);
    expect(bench.serverLoop.size + bench.clientLoop.size).toBe(0);
    bench.network.assertAllClosed();
  });

  test("sends what one turn wrote in one piece", () => {
    const bench = new Bench();
    const peers = bench.connect();
    bench.network.run();
    const mark = bench.network.transcript.length;
    for (let i = 0; i < 100; i += 1) {
      peers.publish(message(`${i}`, 1));
    }
    bench.network.run();
    const sent = bench.network.transcript.since(mark).filter(({ event }) => event === "data");
    expect(sent.map(({ from }) => from)).toEqual(["client", "server"]);
    expect(peers.settled).toBe(100);
  });

  test("flush sends what is written before the turn ends, and its end only what came after", () => {
    const bench = new Bench();
    const peers = bench.connect();
    bench.network.run();
    const send = vi.spyOn(peers.client.connection, "send");
    peers.publish(message("a"));
    peers.publish(message("b"));
    peers.client.flush();
    expect(send).toHaveBeenCalledTimes(1);
    peers.publish(message("c"));
    expect(send).toHaveBeenCalledTimes(1);
    bench.network.run();
    expect(send).toHaveBeenCalledTimes(2);
    expect(peers.received).toEqual(["a", "b", "c"]);
  });

  test("a lost connection ends the session once", () => {
    const bench = new Bench();
    const peers = bench.connect();
    bench.network.run();
    peers.cable.cut();
    bench.network.run();
    expect(peers.ends.client).toMatchObject({ kind: "lost" });
    expect(peers.ends.server).toMatchObject({ kind: "lost" });
  });

  test("packets in front of the end of the connection are still handled, over several turns", () => {
    const bench = new Bench({ server: { limits: { packetsPerTurn: 2 } } });
    const peers = bench.connect();
    bench.network.run();
    for (let i = 0; i < 20; i += 1) {
      peers.publish(message(`${i}`));
    }
    peers.client.protocol.disconnect(0, bench.clientLoop.now);
    peers.client.touch();
    bench.network.advance(10);
    expect(peers.received).toHaveLength(20);
    expect(peers.ends.server?.kind).toBe("remote");
  });

  test("bytes that are no MQTT end it with DISCONNECT 0x81", () => {
    const bench = new Bench();
    const peers = bench.connect();
    bench.network.run();
    peers.cable.client.send([new Uint8Array([0x30, 0x01, 0x00])]);
    bench.network.run();
    expect(peers.ends.server).toMatchObject({ kind: "violation", reasonCode: 0x81 });
    expect(peers.ends.client).toMatchObject({ kind: "remote", reasonCode: 0x81 });
  });
});

describe("pause", () => {
  test("holds packets back, even of a chunk that is here, until every pause has its resume", () => {
    const bench = new Bench();
    const peers = bench.connect({
      server: (self) => ({
        onPublish: (packet) => {
          self.received.push(`${packet.payload.length}`);
          if (packet.payload.length === 1) {
            self.server.pause();
          }
        },
      }),
    });
    bench.network.run();
    peers.publish(message("a"));
    peers.publish(message("bb"));
    bench.network.run();
    peers.server.pause();
    peers.server.resume();
    bench.network.advance(1);
    expect(peers.received).toEqual(["1"]);
    peers.server.resume();
    bench.network.advance(1);
    expect(peers.received).toEqual(["1", "2"]);
  });

  test("what came before the end of the connection waits for resume, and comes before that end", () => {
    const bench = new Bench();
    const onClosed = vi.fn();
    const peers = bench.connect({ serverLink: { onClosed } });
    bench.network.run();
    peers.server.pause();
    peers.publish(message("x"));
    peers.client.protocol.disconnect(0, bench.clientLoop.now);
    peers.client.touch();
    bench.network.advance(1000);
    expect([peers.received, onClosed.mock.calls.length]).toEqual([[], 0]);
    peers.server.resume();
    bench.network.advance(1);
    expect(peers.received).toEqual(["x"]);
    expect(peers.ends.server).toMatchObject({ kind: "remote", reasonCode: 0 });
    expect(onClosed).toHaveBeenCalledTimes(1);
  });

  test("is counted: a resume too many is misuse", () => {
    const bench = new Bench();
    const { server } = bench.connect();
    server.pause();
    server.resume();
    expect(() => server.resume()).toThrow(expect.objectContaining({ code: "not-paused" }));
  });

  test("a client that is not read from is not late, and is again afterwards", () => {
    const bench = new Bench();
    const peers = bench.connect({ connect: { keepAlive: 10 }, clientLimits: { pingTimeoutMs: 1_000_000 } });
    bench.network.run();
    peers.server.pause();
    bench.network.advance(60_000);
    expect(peers.ends.server).toBeUndefined();
    peers.server.resume();
    bench.network.advance(60_000);
    expect(peers.ends.server).toBeUndefined();
    peers.cable.stall();
    bench.network.advance(15_000);
    expect(peers.ends.server).toMatchObject({ kind: "timeout", reasonCode: 0x8d });
  });

  // MQTT.js #1935, #838: a slow message handler starves keep-alive.
  test("a client whose handler is slow still sends PINGREQ and does not miss its PINGRESP", () => {
    const bench = new Bench();
    const peers = bench.connect({ connect: { keepAlive: 10 } });
    bench.network.run();
    peers.client.pause();
    bench.network.advance(120_000);
    expect(peers.ends).toEqual({});
    peers.client.resume();
    bench.network.advance(120_000);
    expect(peers.ends).toEqual({});
  });
});

describe("the barrier", () => {
  test("is asked once per flush, and nothing leaves before it is passed; later bytes wait for the next", async () => {
    const waiting: { pass: () => void; fail: (error: Error) => void }[] = [];
    const barrier = (): Promise<void> => new Promise((pass, fail) => waiting.push({ pass, fail }));
    const bench = new Bench({ server: { barrier } });
    const peers = [bench.connect(), bench.connect()];
    bench.network.run();
    expect(waiting).toHaveLength(1);
    waiting.shift()?.pass();
    await bench.network.settle();
    waiting.shift()?.pass();
    await bench.network.settle();
    for (const { client } of peers) {
      expect(client.protocol.state).toBe("connected");
    }
    while (waiting.length > 0) {
      waiting.shift()?.pass();
      await bench.network.settle();
    }
    // Each arrives in a turn of its own: the first begins to commit, all that follow share the next flush.
    for (const payload of ["a", "b"]) {
      for (const peer of peers) {
        peer.publish(message(payload, 1));
      }
      await bench.network.settle();
    }
    expect(waiting).toHaveLength(1);
    expect(peers.map(({ settled }) => settled)).toEqual([0, 0]);
    waiting.shift()?.pass();
    await bench.network.settle();
    expect(waiting).toHaveLength(1);
    expect(peers.map(({ settled }) => settled)).toEqual([1, 0]);
    waiting.shift()?.pass();
    await bench.network.settle();
    expect(waiting).toHaveLength(0);
    expect(peers.map(({ settled }) => settled)).toEqual([2, 2]);
  });

  test("holds up nothing that promises nothing, unless that comes behind what does", async () => {
    const gate = new Gate();
    const bench = new Bench({ server: { barrier: gate.barrier } });
    const received: string[] = [];
    const peers = ["one", "other"].map((name) =>
      bench.connect({ client: { onPublish: (packet) => received.push(`${name} ${packet.payload.length}`) } }),
    );
    const [one, other] = peers as [Peers, Peers];
    await gate.openFor(() => bench.network.settle());
    const send = (peer: Peers, size: number, qos: 0 | 1 | 2): void => {
      peer.server.protocol.publish(message(new Uint8Array(size), qos), bench.serverLoop.now);
      peer.server.touch();
    };

    one.publish(message("to be acknowledged", 1));
    await bench.network.settle();
    send(one, 1, 0);
    send(other, 2, 0);
    send(other, 3, 1);
    await bench.network.settle();
    expect(received).toEqual(["other 2", "other 3"]);
    send(other, 4, 2);
    send(other, 5, 0);
    await bench.network.settle();
    expect(received).toHaveLength(2);
    expect(one.settled).toBe(0);

    await gate.openFor(() => bench.network.settle());
    expect(one.settled).toBe(1);
    expect(received).toEqual(["other 2", "other 3", "one 1", "other 4", "other 5"]);
  });

  test("is waited for by what is flushed, too", async () => {
    const gate = new Gate();
    const bench = new Bench({ client: { barrier: gate.barrier } });
    const peers = bench.connect();
    await gate.openFor(() => bench.network.settle());
    for (const text of ["a", "b", "c"]) {
      peers.publish(message(text, 1));
      peers.client.flush();
      peers.client.flush();
    }
    await bench.network.settle();
    expect(peers.received).toEqual([]);
    await gate.openFor(() => bench.network.settle());
    expect(peers.received).toEqual(["a", "b", "c"]);
    expect(peers.settled).toBe(3);
  });

  test("is waited for by the close of a connection, which a client may take for an answer to its DISCONNECT", async () => {
    const gate = new Gate();
    const bench = new Bench({ server: { barrier: gate.barrier } });
    const onClosed = vi.fn();
    const peers = bench.connect({ serverLink: { onClosed } });
    await gate.openFor(() => bench.network.settle());
    peers.server.close();
    await bench.network.settle();
    expect(onClosed).not.toHaveBeenCalled();
    await gate.openFor(() => bench.network.settle());
    expect(onClosed).toHaveBeenCalledTimes(1);
  });

  test("that fails leaves links alone that promised nothing", async () => {
    const gate = new Gate();
    const bench = new Bench({ server: { barrier: gate.barrier } });
    const onPublish = vi.fn();
    const [one, other] = [bench.connect(), bench.connect({ client: { onPublish } })];
    await gate.openFor(() => bench.network.settle());
    one.publish(message("a", 1));
    await bench.network.settle();
    other.server.protocol.publish(message("b", 1), bench.serverLoop.now);
    other.server.touch();
    gate.fail(new Error("disk full"));
    await bench.network.settle();
    expect(one.ends.server).toMatchObject({ kind: "lost", error: { message: "disk full" } });
    expect(other.ends).toEqual({});
    expect(onPublish).toHaveBeenCalledTimes(1);
  });

  test("that fails ends the links of its flush without sending, and no other", async () => {
    let failing = false;
    const barrier = (): Promise<void> | undefined => (failing ? Promise.reject(new Error("disk full")) : undefined);
    const bench = new Bench({ server: { barrier } });
    const [one, other] = [bench.connect(), bench.connect()];
    bench.network.run();
    failing = true;
    one.publish(message("a", 1));
    await bench.network.settle();
    failing = false;
    expect(one.settled).toBe(0);
    expect(one.ends.server).toMatchObject({ kind: "lost", error: { message: "disk full" } });
    other.publish(message("a", 1));
    await bench.network.settle();
    expect(other.settled).toBe(1);
  });
});

describe("fairness and back-pressure", () => {
  test("a flood of one connection does not delay another by more than a turn's share", () => {
    const order: string[] = [];
    const bench = new Bench({ server: { limits: { packetsPerTurn: 10 } } });
    const note = (name: string) => () => ({ onPublish: () => void order.push(name) });
    const flood = bench.connect({ server: note("flood") });
    const calm = bench.connect({ server: note("calm") });
    bench.network.run();
    for (let i = 0; i < 1000; i += 1) {
      flood.publish(message("x"));
    }
    calm.publish(message("y"));
    bench.network.advance(1);
    expect(order).toHaveLength(1001);
    expect(order.indexOf("calm")).toBeLessThanOrEqual(20);
  });

  test("is not writable while the transport is full, and says so when it is again", () => {
    const onWritable = vi.fn();
    const bench = new Bench({ network: { highWaterMark: 1000 } });
    const peers = bench.connect({ clientLink: { onWritable } });
    bench.network.run();
    peers.cable.stall();
    peers.publish(message(new Uint8Array(2000)));
    bench.network.run();
    expect(peers.client.writable).toBe(false);
    expect(peers.client.pendingBytes).toBeGreaterThan(2000);
    peers.cable.unstall();
    bench.network.run();
    expect(onWritable).toHaveBeenCalledTimes(1);
    expect(peers.client.writable).toBe(true);
    expect(peers.client.pendingBytes).toBe(0);
  });

  // Found by the simulation: neither read on before the other had.
  test("two ends that are full of messages for each other get them all", () => {
    const received = { client: 0, server: 0 };
    const count = (side: "client" | "server") => ({
      onPublish: () => {
        received[side] += 1;
      },
    });
    const limits = { packetsPerTurn: 2 };
    const bench = new Bench({ network: { highWaterMark: 1000 }, server: { limits }, client: { limits } });
    const peers = bench.connect({ client: count("client"), server: () => count("server") });
    bench.network.run();
    for (let i = 0; i < 100; i += 1) {
      peers.publish(message(new Uint8Array(100)));
      peers.server.protocol.publish(message(new Uint8Array(100)), bench.serverLoop.now);
      peers.server.touch();
    }
    bench.network.advance(1000);
    expect(received).toEqual({ client: 100, server: 100 });
  });

  test("answers do not pile up: input waits while output is above its limit", () => {
    const bench = new Bench({ network: { highWaterMark: 1000 }, server: { limits: { pauseInputAboveBytes: 1000 } } });
    const answer = message(new Uint8Array(600));
    let most = 0;
    const peers = bench.connect({
      server: (self) => ({
        onPublish: () => {
          self.server.protocol.publish(answer, 0);
          most = Math.max(most, self.server.pendingBytes);
        },
      }),
    });
    bench.network.run();
    for (let i = 0; i < 500; i += 1) {
      peers.publish(message("x"));
    }
    bench.network.advance(1000);
    expect(most).toBeLessThan(4000);
    expect(peers.cable.server.bufferedAmount).toBe(0);
    expect(peers.server.protocol.end).toBeUndefined();
  });

  test("a transport that stays full without taking a byte is given up", () => {
    const bench = new Bench({ network: { highWaterMark: 1000 }, client: { limits: { stalledAfterMs: 5000 } } });
    const peers = bench.connect();
    bench.network.run();
    peers.cable.stall();
    peers.publish(message(new Uint8Array(2000)));
    bench.network.advance(4000);
    // More to send does not count as progress: found by the simulation, where PINGREQ kept a dead link alive.
    peers.publish(message("x"));
    bench.network.advance(999);
    expect(peers.ends.client).toBeUndefined();
    bench.network.advance(2);
    expect(peers.ends.client).toMatchObject({ kind: "lost", error: { code: "stalled" } });
  });
});

test("a link that closes and finds nobody reading can still be aborted", () => {
  const bench = new Bench();
  const onClosed = vi.fn();
  const peers = bench.connect({ clientLink: { onClosed } });
  bench.network.run();
  peers.cable.stall();
  peers.client.close();
  bench.network.run();
  expect(onClosed).not.toHaveBeenCalled();
  peers.client.abort();
  bench.network.run();
  expect(onClosed).toHaveBeenCalledTimes(1);
});

describe("a handler that throws", () => {
  // Paho #25, #189: here it is reported and ends its own link alone.
  test("ends its own link with 0x83, is reported, and leaves the others alone", () => {
    const onError = vi.fn();
    const bench = new Bench({ server: { onError } });
    const broken = bench.connect({
      server: () => ({
        onPublish: () => {
          throw new Error("bug");
        },
      }),
    });
    const well = bench.connect();
    bench.network.run();
    broken.publish(message("x"));
    well.publish(message("y"));
    bench.network.run();
    expect(onError).toHaveBeenCalledExactlyOnceWith(new Error("bug"), broken.server);
    expect(broken.ends.client).toMatchObject({ kind: "remote", reasonCode: 0x83 });
    expect(broken.ends.server).toMatchObject({ kind: "local", reasonCode: 0x83, error: new Error("bug") });
    expect(well.received).toEqual(["y"]);
  });
});

describe("deadlines", () => {
  test("thousands of links share one timer", () => {
    const bench = new Bench();
    const peers = Array.from({ length: 2000 }, (_, index) =>
      bench.connect({ connect: { keepAlive: 10 + (index % 50) } }),
    );
    bench.network.run();
    const setTimer = vi.spyOn(bench.network.scheduler, "setTimer");
    bench.network.advance(9000);
    for (const { client } of peers) {
      client.abort();
    }
    bench.network.run();
    expect(setTimer.mock.calls.length).toBeLessThan(50);
    expect(bench.serverLoop.size).toBe(0);
  });

  // Found by the simulation.
  test("of a link that waited for another's barrier are minded as well", async () => {
    const passes: (() => void)[] = [];
    const bench = new Bench({ client: { barrier: () => new Promise((pass) => passes.push(pass)) } });
    const first = bench.connect({ connect: { keepAlive: 10 } });
    bench.network.run();
    const second = bench.connect({ clientLimits: { connackTimeoutMs: 5000 } });
    bench.network.run();
    first.cable.cut();
    bench.network.run();
    expect(passes).toHaveLength(1);
    second.cable.stall();
    passes[0]?.();
    await bench.network.settle();
    bench.network.advance(5000);
    expect(second.ends.client).toMatchObject({ kind: "timeout" });
  });

  test("without links no timer is left, which would keep a process alive", () => {
    const bench = new Bench();
    const peers = bench.connect({ connect: { keepAlive: 10 } });
    bench.network.run();
    peers.client.protocol.disconnect(0, bench.clientLoop.now);
    peers.client.touch();
    bench.network.run();
    expect(bench.network.scheduler.nextAtMs).toBeUndefined();
  });

  test("a client that sends no CONNECT is closed", () => {
    const bench = new Bench();
    const onClosed = vi.fn();
    const { network, serverLoop } = bench;
    const peers = bench.connect({ serverLink: { onClosed } });
    peers.cable.stall();
    network.advance(9999);
    expect(peers.ends.server).toBeUndefined();
    network.advance(2);
    expect(peers.ends.server).toMatchObject({ kind: "timeout" });
    network.advance(20_000);
    expect(onClosed).toHaveBeenCalledTimes(1);
    expect(serverLoop.size).toBe(0);
  });
});
