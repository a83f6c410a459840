import type { AbortSignalLike, Dial } from "@tidewire/transport";
import { check, checkEqual } from "../../failure.ts";
import { quiet, type TransportHarness, until } from "../harness.ts";
import { expectReceived } from "./data.ts";
import { connectProbe, defineCase, type TransportCase } from "./define.ts";

export const diallingCases: readonly TransportCase[] = [
  defineCase(
    "dialling/refused",
    "rejects with the code `refused` where nobody listens",
    async (harness) => {
      checkEqual(await failureOf(harness, harness.dialNowhere), "refused", "code");
    },
    ["refusal"],
  ),

  defineCase("dialling/cancelled-before", "rejects with the code `aborted` when cancelled already", async (harness) => {
    const signal = new TestSignal();
    signal.abort("no longer wanted");
    checkEqual(await failureOf(harness, harness.dial, signal), "aborted", "code");
  }),

  defineCase("dialling/cancelled", "rejects with the code `aborted` when cancelled on the way", async (harness) => {
    const signal = new TestSignal();
    const failure = failureOf(harness, harness.dial, signal);
    signal.abort("no longer wanted");
    checkEqual(await failure, "aborted", "code");
    checkEqual(signal.listeners, 0, "listeners left on the signal");
    await quiet(harness);
    const pair = await connectProbe(harness);
    pair.probe.start();
    await pair.peer.send(10, 10);
    await expectReceived(harness, pair, 10);
  }),

  defineCase(
    "dialling/signal-released",
    "leaves no listener on the signal, and ignores it once open",
    async (harness) => {
      const signal = new TestSignal();
      let connection: Awaited<ReturnType<Dial>> | undefined;
      harness.dial({ signal }).then((opened) => {
        connection = opened;
      }, ignore);
      await until(harness, "connected", () => connection !== undefined);
      checkEqual(signal.listeners, 0, "listeners left on the signal");
      signal.abort("too late");
      await quiet(harness);
      let closed = false;
      connection?.start({ onData: ignore, onDrain: ignore, onClose: () => (closed = true) });
      await quiet(harness);
      check(!closed, "an open connection is not ended by the signal of its dial");
      connection?.abort();
      await until(harness, "onClose", () => closed);
    },
  ),

  defineCase("listening/closed", "a closed listener keeps its connections and takes no more", async (harness) => {
    const pair = await connectProbe(harness);
    pair.probe.start();
    await harness.closeListener();
    pair.probe.sendPattern(1_000);
    await pair.peer.send(1_000, 100);
    await expectReceived(harness, pair, 1_000);
    check((await failureOf(harness, harness.dial)) !== "", "a dial after close fails with a code");
  }),
];

/** The code of the error that the dial rejects with. */
async function failureOf(harness: TransportHarness, dial: Dial, signal?: AbortSignalLike): Promise<string> {
  let outcome: { readonly error: unknown } | undefined;
  dial(signal === undefined ? {} : { signal }).then(
    (connection) => {
      connection.abort();
      outcome = { error: undefined };
    },
    (error: unknown) => {
      outcome = { error };
    },
  );
  await until(harness, "the outcome of the dial", () => outcome !== undefined);
  const error = outcome?.error as { readonly name?: string; readonly code?: string } | undefined;
  check(error !== undefined, "the dial rejects");
  checkEqual(error.name, "TransportError", "name of the error");
  return error.code ?? "";
}

/** An abort signal that counts its listeners. */
class TestSignal implements AbortSignalLike {
  aborted = false;
  reason: unknown;
  readonly #listeners = new Set<() => void>();

  get listeners(): number {
    return this.#listeners.size;
  }

  addEventListener(_type: "abort", listener: () => void): void {
    this.#listeners.add(listener);
  }

  removeEventListener(_type: "abort", listener: () => void): void {
    this.#listeners.delete(listener);
  }

  abort(reason: unknown): void {
    this.aborted = true;
    this.reason = reason;
    for (const listener of this.#listeners) {
      this.#listeners.delete(listener);
      listener();
    }
  }
}

function ignore(): void {}
