import type { Packet, QoS } from "@tidewire/codec";
import { createInflight, type Inflight, SessionError } from "@tidewire/session";
import { Random } from "@tidewire/transport-mock";
import { expect, test } from "vitest";
import { message, Pair } from "./pair.ts";

/*
 * A handler may publish, subscribe or close from inside any callback: the state change that it is told of is complete.
 * So the bytes have to be the same as when the same actions wait until the packet is done with.
 */

const SEEDS = 300;

test(`actions inside callbacks give the same bytes as the same actions afterwards (${SEEDS} seeds)`, () => {
  for (let seed = 1; seed <= SEEDS; seed += 1) {
    const [inside, afterwards] = [true, false].map((at) => JSON.stringify(new Run(seed, at).transcript(), null, 1));
    expect(inside, `seed ${seed}`).toBe(afterwards);
  }
});

test("the runs do something", () => {
  const runs = Array.from({ length: 50 }, (_, seed) => new Run(seed, true).transcript());
  const packets = runs.flat().filter((entry) => typeof entry !== "string") as Packet[];
  expect(new Set(packets.map(({ type }) => type)).size).toBe(12);
});

class Run {
  readonly #random: Random;
  readonly #inside: boolean;
  readonly #queue: (() => void)[] = [];
  readonly #log: (Packet | string)[] = [];
  readonly #inflight: Inflight = createInflight();
  readonly #serverInflight: Inflight = createInflight();
  #actions = 0;

  constructor(seed: number, inside: boolean) {
    this.#random = new Random(seed);
    this.#inside = inside;
  }

  /** Two connections of one session, the first cut short. */
  transcript(): readonly (Packet | string)[] {
    for (const sessionPresent of [false, true]) {
      const pair = this.#pair(sessionPresent);
      pair.client.open(0);
      for (let round = 0; round < 12; round += 1) {
        pair.toServer();
        pair.toClient();
        if (pair.client.end === undefined && pair.server.state === "connected") {
          this.#act(pair, "client");
        }
        this.#drain();
      }
      pair.cut();
      this.#drain();
      this.#log.push("sent by client", ...pair.sentByClient, "sent by server", ...pair.sentByServer);
    }
    return this.#log;
  }

  #pair(sessionPresent: boolean): Pair {
    const pair: Pair = new Pair({
      connect: { cleanStart: false, properties: { receiveMaximum: 3, topicAliasMaximum: 2 } },
      clientInflight: this.#inflight,
      serverInflight: this.#serverInflight,
      onConnect: () => this.#do(() => pair.accept({ sessionPresent, properties: { receiveMaximum: 3 } })),
      afterPacket: () => this.#drain(),
      client: {
        onConnack: () => this.#on(pair, "client", "connack"),
        onSuback: () => this.#on(pair, "client", "suback"),
        onUnsuback: () => this.#on(pair, "client", "unsuback"),
        onDisconnect: () => this.#on(pair, "client", "disconnect"),
        onPublish: ({ packetId, qos }) => {
          this.#on(pair, "client", "publish");
          if (qos > 0) {
            this.#do(() => pair.client.acknowledge(packetId, 0, 0));
          }
        },
        onSettled: () => this.#on(pair, "client", "settled"),
        // Whether it is called depends on what the callbacks before it did: it is a hint and starts nothing here.
        onSendQuota: () => {},
        onEnd: () => this.#on(pair, "client", "end"),
      },
      server: {
        onSubscribe: ({ packetId }) => {
          this.#on(pair, "server", "subscribe");
          this.#do(() => pair.server.suback(packetId, [0], 0));
        },
        onUnsubscribe: ({ packetId }) => {
          this.#do(() => pair.server.unsuback(packetId, [0], 0));
          this.#on(pair, "server", "unsubscribe");
        },
        onDisconnect: () => this.#on(pair, "server", "disconnect"),
        onPublish: ({ packetId, qos }) => {
          if (qos > 0) {
            this.#do(() => pair.server.acknowledge(packetId, 0, 0));
          }
          this.#on(pair, "server", "publish");
        },
        onSettled: () => this.#on(pair, "server", "settled"),
        onSendQuota: () => {},
        onEnd: () => this.#on(pair, "server", "end"),
      },
    });
    return pair;
  }

  #on(pair: Pair, side: "client" | "server", event: string): void {
    this.#log.push(`${side} ${event}`);
    this.#act(pair, side);
  }

  /** Draws something to do, now or later. */
  #act(pair: Pair, side: "client" | "server"): void {
    const kind = this.#random.integer(0, 19);
    const qos = this.#random.integer(0, 2) as QoS;
    this.#actions += 1;
    if (this.#actions > 60) {
      return;
    }
    this.#do(() => {
      const session = pair[side];
      if (kind < 11) {
        if (qos === 0 || session.sendQuota > 0) {
          session.publish(message(`topic/${kind}`, `${kind}`, qos), 0);
        }
      } else if (kind < 14) {
        const subscription = { filter: "a", qos, noLocal: false, retainAsPublished: false, retainHandling: 0 } as const;
        if (side === "client") {
          pair.client.subscribe([subscription], 0);
        }
      } else if (kind < 16) {
        if (side === "client") {
          pair.client.unsubscribe(["a"], 0);
        }
      } else if (kind === 16) {
        session.disconnect(0, 0);
      }
    });
  }

  #do(action: () => void): void {
    if (this.#inside) {
      attempt(action);
    } else {
      this.#queue.push(() => attempt(action));
    }
  }

  #drain(): void {
    while (this.#queue.length > 0) {
      this.#queue.shift()?.();
    }
  }
}

/** After the end requests are misuse, in both ways of running. */
function attempt(action: () => void): void {
  try {
    action();
  } catch (error) {
    if (!(error instanceof SessionError) || error.kind !== "misuse") {
      throw error;
    }
  }
}
