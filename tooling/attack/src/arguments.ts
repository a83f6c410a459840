import { parseArgs } from "node:util";
import type { Coverage } from "./plan.ts";
import type { Transport } from "./program.ts";

export interface Options {
  readonly help: boolean;
  readonly list: boolean;
  /** Only the cheap ones. */
  readonly quick: boolean;
  /** Numbers: `26` is also `26.2`; empty means all. */
  readonly only: readonly string[];
  readonly json: string | undefined;
  readonly seed: number;
  readonly coverage: Coverage;
  /** Undefined: all. */
  readonly transport: Transport | undefined;
  readonly script: string | undefined;
  /** Minutes; undefined: no fuzzing. */
  readonly fuzz: number | undefined;
}

export const HELP = `\
Attack a running broker and see what it does to others.

Usage: npx pnpm attack [OPTIONS]

  --only 26,38       these numbers alone; 38 stands for 38.2 and so on, too
  --quick            the cheap ones, once each: less than a minute
  --one              each attack once; default: until every transport, version, store and
                     broker with and without users has had its turn; --all: every combination
  --transport NAME   over tcp, tls, ws or wss alone
  --seed N           what chance has decided; without it, a new one, which is printed
  --json FILE        everything that was seen, for programs
  --list             the attacks, and what must be seen of each
  --fuzz MINUTES     in place of the attacks, mutated traffic of many sessions at once
  --program FILE     a script to attack in place of tidewire

Exit code 1 when something did not hold.`;

/** Reads the command line; a text is what is wrong with it. */
export function parseArguments(args: readonly string[]): Options | string {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        help: { type: "boolean", short: "h", default: false },
        list: { type: "boolean", default: false },
        quick: { type: "boolean", default: false },
        one: { type: "boolean", default: false },
        all: { type: "boolean", default: false },
        transport: { type: "string" },
        only: { type: "string" },
        seed: { type: "string" },
        json: { type: "string" },
        fuzz: { type: "string" },
        program: { type: "string" },
      },
    });
    const seed = values.seed === undefined ? Date.now() % 1_000_000 : Number(values.seed);
    const fuzz = values.fuzz === undefined ? undefined : Number(values.fuzz);
    if (!Number.isSafeInteger(seed) || seed < 0) {
      return `--seed "${values.seed}" is not a whole number; give the one that was printed`;
    }
    if (fuzz !== undefined && !(fuzz > 0)) {
      return `--fuzz "${values.fuzz}" is not a number of minutes; write one such as 0.5`;
    }
    const { transport } = values;
    if (transport !== undefined && !isTransport(transport)) {
      return `--transport "${transport}" is not known; use tcp, tls, ws or wss`;
    }
    return {
      help: values.help,
      list: values.list,
      quick: values.quick,
      only: values.only?.split(",").map((id) => id.trim()) ?? [],
      json: values.json,
      seed,
      coverage: values.all ? "all" : values.one || values.quick ? "one" : "covering",
      transport,
      script: values.program,
      fuzz,
    };
  } catch (error) {
    return `${(error as Error).message}; --help lists the options`;
  }
}

function isTransport(text: string): text is Transport {
  return ["tcp", "tls", "ws", "wss"].includes(text);
}
