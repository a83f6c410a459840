import { runConformance } from "@tidewire/conformance";
import { loopbackTarget, type TransportCapability, transportCases } from "@tidewire/conformance/transport";
import { vitestApi } from "@tidewire/conformance/vitest";
import type { Connection, Dial } from "@tidewire/transport";
import { webSocket as platformWebSocket } from "@tidewire/transport-websocket";
import { type WebSocketListenerOptions, webSocket, webSocketListener } from "@tidewire/transport-websocket/node";
import { afterAll, describe } from "vitest";
import { WebSocket } from "ws";
import { certificate } from "../../transport-tcp/test/certificates.ts";
import { Relay } from "../../transport-tcp/test/relay.ts";
import { pass } from "../../transport-tcp/test/time.ts";
import { frame } from "./support.ts";

const marks = { highWaterMark: 65_536, lowWaterMark: 16_384, closeTimeoutMs: 3_000 };
const both: readonly TransportCapability[] = ["abort-visible", "abort-drops", "pause", "peer-pause", "close-timeout"];
/** Most cases send messages as large as they like. */
const wholeMessages = 16_777_216;
const authority = await certificate("Test authority", { authority: true });
const server = await certificate("server", { issuer: authority });

interface Definition {
  readonly name: string;
  readonly end: "client" | "server";
  readonly capabilities: readonly TransportCapability[];
  readonly listen?: WebSocketListenerOptions;
  readonly dial: (address: string) => Dial;
  readonly cases?: typeof transportCases;
  readonly cut?: () => void;
  readonly sendUnfinished?: (bytes: number) => void;
  readonly concurrency?: number;
}

function define(definition: Definition): void {
  const { name, end, capabilities, listen, dial, cases = transportCases, cut, sendUnfinished } = definition;
  const target = loopbackTarget({
    name,
    end,
    capabilities,
    setup: () => ({
      listen: webSocketListener({ host: "127.0.0.1", firstInputBytes: wholeMessages, ...listen, ...marks }),
      dial,
      dialNowhere: dial("ws://127.0.0.1:1/mqtt"),
      marks: { high: marks.highWaterMark, low: marks.lowWaterMark },
      closeTimeoutMs: marks.closeTimeoutMs,
      pass,
      firstInputBytes: 65_536,
      ...(sendUnfinished === undefined
        ? {}
        : { sendUnfinished: (_peer: Connection, bytes: number) => sendUnfinished(bytes) }),
      ...(cut === undefined ? {} : { cut }),
    }),
  });
  // Once is enough for the case that moves 100 MB.
  const chosen = cases.filter(({ id }) => end === "client" || id !== "transport/pausing/slow-reader");
  runConformance(chosen, target, { api: vitestApi, concurrency: definition.concurrency ?? 8 });
}

for (const end of ["client", "server"] as const) {
  define({ name: "WS", end, capabilities: [...both, "refusal"], dial: (url) => webSocket(url, marks) });
  define({
    name: "WSS",
    end,
    capabilities: [...both, "refusal"],
    listen: { tls: server },
    dial: (url) => webSocket(url, { ...marks, tls: { ca: authority.cert } }),
  });
  define({
    name: "WS with compression",
    end,
    capabilities: both,
    listen: { perMessageDeflate: true },
    dial: (url) => webSocket(url, { ...marks, perMessageDeflate: true }),
    cases: transportCases.filter(({ id }) => id.startsWith("transport/data/")),
  });
}

// The platform's WebSocket, played by the class of `ws`, which has the same interface; real ones are tried elsewhere.
const Platform = WebSocket as unknown as typeof globalThis.WebSocket;
define({
  name: "the platform's WebSocket",
  end: "client",
  capabilities: ["peer-pause", "abort-visible", "close-timeout"],
  dial: (url) => platformWebSocket(url, { ...marks, WebSocket: Platform }),
});
define({
  name: "the platform's WebSocket",
  end: "server",
  capabilities: ["pause", "abort-drops"],
  dial: (url) => platformWebSocket(url, { ...marks, WebSocket: Platform }),
});

describe("through a relay", () => {
  const relays: Relay[] = [];
  /** Those that the first frame of a message went through. */
  const begun = new WeakSet<Relay>();
  const needs: readonly TransportCapability[] = ["cut", "unfinished", "first-input"];
  const cases = transportCases.filter((candidate) =>
    candidate.needs?.some((need) => (needs as readonly string[]).includes(need)),
  );
  for (const end of ["client", "server"] as const) {
    const dial =
      (url: string): Dial =>
      async (options) => {
        const relay = await Relay.open(Number(new URL(url).port));
        relays.push(relay);
        return webSocket(`ws://127.0.0.1:${relay.port}/mqtt`)(options);
      };
    define({
      name: "WS",
      end,
      capabilities: end === "server" ? needs : ["cut", "unfinished"],
      listen: { firstInputBytes: 65_536 },
      dial,
      cases,
      concurrency: 1,
      cut: () => relays.at(-1)?.cut(),
      sendUnfinished: (bytes) => {
        const relay = relays.at(-1) as Relay;
        const opcode = begun.has(relay) ? 0 : 2;
        begun.add(relay);
        relay.inject(end, frame(opcode, new Uint8Array(bytes), { final: false, masked: end === "server" }));
      },
    });
  }
  afterAll(() => {
    for (const relay of relays) {
      relay.close();
    }
  });
});
