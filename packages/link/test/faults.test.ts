import { guard, type LinkLoopOptions } from "@tidewire/link";
import { expect, test, vi } from "vitest";
import { Bench, type ConnectOptions, message, Peers } from "./links.ts";

/*
 * Field failure "an answer that does not fit ..., thrown inside a promise's continuation: the process ends": whatever is
 * called in a turn, at its end, later, in a timer or behind the barrier may throw, and ends one link at most.
 */

/** What throws: a member of the connection, of the protocol, or a handler, from its `from`-th use on. */
const FAULTS = {
  connection: ["send", "close", "abort", "pause", "resume", "bufferedAmount"],
  protocol: ["receive", "receiveError", "receiveEnd", "holdInput", "fail", "tick", "nextDeadline", "end", "promised"],
  handler: ["onConnect", "onPublish", "onSubscribe", "onDisconnect", "onEnd", "onSettled", "onSendQuota"],
  link: ["onWritable", "onClosed"],
} as const;

const cases = Object.entries(FAULTS).flatMap(([part, members]) => members.map((member) => [part, member] as const));

for (const onErrorThrows of [false, true]) {
  test.each(cases)(
    `a %s whose %s throws ends its own link at most (onError throws: ${onErrorThrows})`,
    async (...fault) => {
      for (let from = 0; from < 6; from += 1) {
        const errors: unknown[] = [];
        const onError = (error: unknown): void => {
          errors.push(error);
          if (onErrorThrows) {
            throw new Error("from onError");
          }
        };
        const bench = new Bench({
          server: { onError, barrier: () => Promise.resolve(), limits: { packetsPerTurn: 1, stalledAfterMs: 5000 } },
          client: { limits: { stalledAfterMs: 5000 } },
          network: { highWaterMark: 2000 },
        });
        const canary = bench.connect();
        const faulty = new FaultyPeers(bench, fault, from);
        await run(bench);
        for (const step of STEPS) {
          // What a caller asks for is the caller's to catch.
          attempt(() => step(faulty));
          canary.publish(message("canary", 1));
          await run(bench);
          bench.network.advance(700);
          await run(bench);
        }
        faulty.cable.cut();
        bench.network.advance(100_000);
        await run(bench);
        expect([from, canary.received.length, canary.settled]).toEqual([from, STEPS.length, STEPS.length]);
        expect(bench.serverLoop.size).toBe(1);
        canary.cable.cut();
        await run(bench);
        expect(bench.serverLoop.size + bench.clientLoop.size).toBe(0);
      }
    },
  );
}

const BARRIERS: Record<string, () => PromiseLike<void>> = {
  "throws at once": () => {
    throw new Error("at once");
  },
  "throws something that is no error": () => {
    throw "words";
  },
  rejects: () => Promise.reject(new Error("later")),
  "rejects with nothing": () => Promise.reject(),
  "is a thenable that throws": () => ({
    // biome-ignore lint/suspicious/noThenProperty: that is what is tested
    then: () => {
      throw new Error("from then");
    },
  }),
  "is a thenable that calls back twice and throws": () => ({
    // biome-ignore lint/suspicious/noThenProperty: that is what is tested
    then: (_: unknown, reject?: ((reason: unknown) => unknown) | null) => {
      reject?.(new Error("first"));
      reject?.(new Error("second"));
      throw new Error("third");
    },
  }),
};

test.each(Object.entries(BARRIERS))(
  "a barrier that %s ends the links that waited for it, and the loop goes on",
  async (_, barrier) => {
    let broken = true;
    const options = { barrier: () => (broken ? barrier() : undefined) } as Pick<LinkLoopOptions, "barrier">;
    const bench = new Bench({ server: options });
    const lost = bench.connect();
    await run(bench);
    expect(lost.ends.server?.kind).toBe("lost");
    broken = false;
    const peers = bench.connect();
    await run(bench);
    peers.publish(message("m", 1));
    await run(bench);
    expect([peers.received, peers.settled]).toEqual([["m"], 1]);
  },
);

test("a protocol that cannot be made takes the connection with it, and is the caller's to hear of", () => {
  const bench = new Bench();
  const { server, client } = bench.network.pair();
  const onClose = vi.fn();
  client.start({ onData: () => {}, onDrain: () => {}, onClose });
  const createProtocol = (): never => {
    throw new Error("no protocol");
  };
  expect(() => bench.serverLoop.attach(server, { createProtocol })).toThrow("no protocol");
  bench.network.run();
  expect(onClose).toHaveBeenCalledTimes(1);
  expect(bench.serverLoop.size).toBe(0);
});

test("guard reports what is thrown at once or later, and lets nothing through", async () => {
  const reported: unknown[] = [];
  const report = (error: unknown): void => {
    reported.push(error);
    throw new Error("from report");
  };
  expect(guard(() => 1, report)).toBe(true);
  expect(
    guard(() => {
      throw "at once";
    }, report),
  ).toBe(false);
  expect(guard(() => Promise.reject("later"), report)).toBe(true);
  // biome-ignore lint/suspicious/noThenProperty: that is what is tested
  guard(() => ({ then: (_: unknown, reject: (reason: unknown) => void) => reject("thenable") }), report);
  await new Promise((resolve) => setImmediate(resolve));
  expect(reported).toEqual(["at once", "later", "thenable"]);
});

/** What one client does while things break. */
const STEPS: readonly ((peers: Peers) => void)[] = [
  (peers) => peers.publish(message("q1", 1)),
  (peers) => {
    for (let i = 0; i < 4; i += 1) {
      peers.publish(message("q2", 2));
    }
  },
  (peers) => sendToClient(peers, "s".repeat(50)),
  (peers) => peers.server.pause(),
  (peers) => peers.server.resume(),
  (peers) => {
    for (let i = 0; i < 3; i += 1) {
      sendToClient(peers, "x".repeat(3000));
    }
  },
  (peers) => peers.client.protocol.disconnect(0, peers.client.loop.now),
];

function sendToClient({ server }: Peers, text: string): void {
  server.protocol.publish(message(text, 1), server.loop.now);
  server.touch();
}

class FaultyPeers extends Peers {
  constructor(bench: Bench, [part, member]: (typeof cases)[number], from: number) {
    let uses = 0;
    const trip = (): void => {
      uses += 1;
      if (uses > from) {
        throw new Error(`from ${part}.${member}`);
      }
    };
    const options: ConnectOptions = {
      connect: { keepAlive: 1 },
      ...(part === "handler" && { server: (peers) => tripping(peers.serverHandler(), member, trip) }),
      ...(part === "link" && { serverLink: { [member]: trip } }),
      ...(part === "connection" && { wrapConnection: (connection) => tripping(connection, member, trip) }),
      ...(part === "protocol" && { wrapProtocol: (protocol) => tripping(protocol, member, trip) }),
    };
    super(bench, options);
  }
}

/** The same object, but for one member that goes through `trip` first. */
function tripping<T extends object>(target: T, member: string, trip: () => void): T {
  return new Proxy(target, {
    get(object, name) {
      const value = Reflect.get(object, name, object) as unknown;
      if (typeof value === "function") {
        return (...given: unknown[]) => {
          if (name === member) {
            trip();
          }
          return (value as (...given: unknown[]) => unknown).apply(object, given);
        };
      }
      if (name === member) {
        trip();
      }
      return value;
    },
    set: (object, name, value) => Reflect.set(object, name, value, object),
    ownKeys: (object) => Reflect.ownKeys(object),
  });
}

function attempt(action: () => void): void {
  try {
    action();
  } catch {
    // Nobody minds.
  }
}

/** Everything in flight, and what promises had to say about it. */
async function run(bench: Bench): Promise<void> {
  for (let round = 0; round < 4; round += 1) {
    bench.network.run();
    await new Promise((resolve) => setImmediate(resolve));
  }
}
