import type { QoS } from "@tidewire/codec";
import { Random } from "@tidewire/transport-mock";

/** Everything about a run that does not change while it runs, drawn from its seed. */
export interface Config {
  readonly seed: number;
  readonly version: 4 | 5;
  readonly keepAliveSeconds: number;
  readonly latencyMs: readonly [min: number, max: number];
  readonly chunking: "as-sent" | "merge" | "split" | "bytes" | "random";
  readonly highWaterMark: number;
  readonly packetsPerTurn: number;
  /** How long a store takes to commit; 0: it commits at once. */
  readonly commitMs: number;
  /** How long an application takes to acknowledge; 0: inside the handler. */
  readonly acknowledgeMs: number;
  /** One of these for each connection, in turn. */
  readonly terms: readonly Terms[];
}

/** What the two ends tell each other on one connection. */
export interface Terms {
  readonly clientReceiveMaximum: number;
  readonly serverReceiveMaximum: number;
  readonly topicAliases: number;
  readonly maximumPacketSize: number | undefined;
  readonly maximumQoS: 1 | undefined;
}

export type Side = "client" | "server";

/** One thing that the world does to both ends, or one of them to the other. */
export type Action =
  | {
      readonly do: "publish";
      readonly side: Side;
      readonly qos: QoS;
      readonly topic: number;
      readonly size: number;
      readonly refused: boolean;
    }
  | { readonly do: "subscribe" | "unsubscribe" | "disconnect" | "cut" | "clean-start" }
  | { readonly do: "stall" | "half-open"; readonly ms: number }
  | { readonly do: "pause"; readonly side: Side; readonly ms: number }
  | { readonly do: "crash" | "fail-commit" | "close"; readonly side: Side };

export interface Step {
  /** Milliseconds after the step before. */
  readonly afterMs: number;
  readonly action: Action;
}

export interface Schedule {
  readonly config: Config;
  readonly steps: readonly Step[];
}

export function schedule(seed: number): Schedule {
  const random = new Random(seed);
  const config = drawConfig(seed, random);
  const steps: Step[] = [];
  const count = random.integer(4, 40);
  for (let i = 0; i < count; i += 1) {
    steps.push({ afterMs: drawPause(random), action: drawAction(random) });
  }
  return { config, steps };
}

function drawConfig(seed: number, random: Random): Config {
  const slow = random.integer(0, 3) === 0 ? random.integer(1, 50) : 0;
  return {
    seed,
    version: random.integer(0, 3) === 0 ? 4 : 5,
    keepAliveSeconds: random.integer(5, 30),
    latencyMs: [random.integer(0, slow), slow],
    chunking: pick(random, ["as-sent", "merge", "split", "random", "random"]),
    highWaterMark: pick(random, [100, 1000, 100_000]),
    packetsPerTurn: pick(random, [1, 3, 1000]),
    commitMs: pick(random, [0, 0, 1, 5, 20]),
    acknowledgeMs: pick(random, [0, 0, 3, 40]),
    terms: Array.from({ length: random.integer(1, 3) }, () => drawTerms(random)),
  };
}

function drawTerms(random: Random): Terms {
  return {
    clientReceiveMaximum: pick(random, [1, 2, 3, 5, 65_535]),
    serverReceiveMaximum: pick(random, [1, 2, 3, 5, 65_535]),
    topicAliases: pick(random, [0, 1, 2, 10]),
    maximumPacketSize: pick(random, [undefined, undefined, undefined, 48]),
    maximumQoS: pick(random, [undefined, undefined, undefined, undefined, undefined, 1]),
  };
}

/** Mostly a burst, now and then long enough for keep-alive to matter. */
function drawPause(random: Random): number {
  const kind = random.integer(0, 19);
  if (kind < 12) {
    return random.integer(0, 3);
  }
  return kind < 19 ? random.integer(0, 120) : random.integer(1000, 40_000);
}

function drawAction(random: Random): Action {
  const side: Side = pick(random, ["client", "server"]);
  const kind = random.integer(0, 99);
  if (kind < 62) {
    return {
      do: "publish",
      side,
      qos: pick<QoS>(random, [0, 1, 1, 2, 2, 2]),
      topic: random.integer(0, 2),
      size: pick(random, [0, 0, 30, 700]),
      refused: random.integer(0, 19) === 0,
    };
  }
  if (kind < 66) {
    return { do: pick(random, ["subscribe", "unsubscribe"]) };
  }
  if (kind < 74) {
    return { do: "cut" };
  }
  if (kind < 78) {
    return { do: "stall", ms: random.integer(1, 200) };
  }
  if (kind < 81) {
    return { do: "half-open", ms: random.integer(1, 500) };
  }
  if (kind < 85) {
    return { do: "pause", side, ms: random.integer(1, 2000) };
  }
  if (kind < 92) {
    return { do: "crash", side };
  }
  if (kind < 95) {
    return { do: "fail-commit", side };
  }
  if (kind < 97) {
    return { do: "disconnect" };
  }
  if (kind < 99) {
    return { do: "close", side };
  }
  return { do: "clean-start" };
}

function pick<T>(random: Random, from: readonly T[]): T {
  return from[random.integer(0, from.length - 1)] as T;
}
