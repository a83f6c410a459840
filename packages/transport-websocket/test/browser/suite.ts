// Runs inside the browser: the transport contract on the platform's WebSocket, with the peers left behind in Node.
import { type CaseResult, executeCases } from "@tidewire/conformance";
import {
  type ConnectedPair,
  type PeerStatus,
  type TransportCapability,
  type TransportHarness,
  type TransportPeer,
  transportCases,
} from "@tidewire/conformance/transport";
import { webSocket } from "@tidewire/transport-websocket";

/** A method of the peer with this number, carried out in Node. */
declare function callPeer(peer: number, method: string, args: readonly number[]): Promise<unknown>;
/** The listener in Node with this number: the next peer, or its end. */
declare function callListener(listener: number, method: "accept" | "close"): Promise<number>;
declare function openListener(): Promise<{ readonly listener: number; readonly url: string }>;

const marks = { high: 65_536, low: 16_384 };
const capabilities: readonly TransportCapability[] = ["abort-visible", "peer-pause", "close-timeout"];

class RemotePeer implements TransportPeer {
  readonly #id: number;

  constructor(id: number) {
    this.#id = id;
  }

  async status(): Promise<PeerStatus> {
    return (await callPeer(this.#id, "status", [])) as PeerStatus;
  }

  async send(total: number, chunkBytes: number): Promise<void> {
    await callPeer(this.#id, "send", [total, chunkBytes]);
  }

  async pause(): Promise<void> {
    await callPeer(this.#id, "pause", []);
  }

  async resume(): Promise<void> {
    await callPeer(this.#id, "resume", []);
  }

  async close(): Promise<void> {
    await callPeer(this.#id, "close", []);
  }

  async abort(): Promise<void> {
    await callPeer(this.#id, "abort", []);
  }
}

async function setup(): Promise<TransportHarness> {
  const { listener, url } = await openListener();
  const dialTo = (to: string): TransportHarness["dial"] =>
    webSocket(to, { highWaterMark: marks.high, lowWaterMark: marks.low, closeTimeoutMs: 3_000 });
  const dial = dialTo(url);
  let dialled: Promise<unknown> = Promise.resolve();
  const connect = async (): Promise<ConnectedPair> => {
    const connection = await dial();
    return { connection, peer: new RemotePeer(await callListener(listener, "accept")) };
  };
  return {
    marks,
    closeTimeoutMs: 3_000,
    dial,
    dialNowhere: dialTo("ws://127.0.0.1:1/mqtt"),
    connect() {
      const pair = dialled.then(connect);
      dialled = pair.catch(() => {});
      return pair;
    },
    closeListener: async () => void (await callListener(listener, "close")),
    cut: () => {},
    sendUnfinished: () => {},
    firstInputBytes: 0,
    sibling: setup,
    pass: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
  };
}

/** The results, as far as they can be carried to Node. */
async function run(): Promise<(Pick<CaseResult, "id" | "outcome"> & { readonly message: string | undefined })[]> {
  const target = { name: "browser", capabilities, setup };
  const results = await executeCases(transportCases, target, { timeoutMs: 30_000, concurrency: 4 });
  return results.map(({ id, outcome, error }) => ({ id, outcome, message: error?.message }));
}

Object.assign(globalThis, { runSuite: run });
