import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runConformance } from "@tidewire/conformance";
import { loopbackTarget, type TransportCapability, transportCases } from "@tidewire/conformance/transport";
import { vitestApi } from "@tidewire/conformance/vitest";
import { type TcpListenerOptions, type TcpOptions, tcp, tcpListener } from "@tidewire/transport-tcp";
import { afterAll, describe } from "vitest";
import { certificate } from "./certificates.ts";
import { Relay } from "./relay.ts";
import { pass } from "./time.ts";

const marks = { highWaterMark: 65_536, lowWaterMark: 16_384, closeTimeoutMs: 3_000 };
const common: readonly TransportCapability[] = ["pause", "peer-pause", "close-timeout", "refusal", "abort-drops"];
const authority = await certificate("Test authority", { authority: true });
const server = await certificate("server", { issuer: authority });
const directory = mkdtempSync(join(tmpdir(), "tidewire-"));
let sockets = 0;
afterAll(() => rmSync(directory, { recursive: true }));

function define(
  name: string,
  capabilities: readonly TransportCapability[],
  listen: () => TcpListenerOptions,
  dial: (address: string) => TcpOptions,
  nowhere: TcpOptions,
): void {
  for (const end of ["client", "server"] as const) {
    const target = loopbackTarget({
      name,
      end,
      capabilities,
      setup: () => ({
        listen: tcpListener({ ...listen(), ...marks }),
        dial: (address) => tcp({ ...dial(address), ...marks }),
        dialNowhere: tcp(nowhere),
        marks: { high: marks.highWaterMark, low: marks.lowWaterMark },
        closeTimeoutMs: marks.closeTimeoutMs,
        pass,
      }),
    });
    // Once is enough for the case that moves 100 MB.
    const large = end === "client" && name !== "Unix socket";
    const cases = transportCases.filter(({ id }) => large || id !== "transport/pausing/slow-reader");
    runConformance(cases, target, { api: vitestApi, concurrency: 8 });
  }
}

function target(address: string): TcpOptions {
  const { hostname, port } = new URL(address);
  return { host: hostname.replace(/^\[|\]$/g, ""), port: Number(port) };
}

define(
  "TCP",
  [...common, "abort-visible"],
  () => ({ host: "127.0.0.1" }),
  (address) => target(address.replace("tcp:", "http:")),
  { host: "127.0.0.1", port: 1 },
);

define(
  "TLS",
  common,
  () => ({ host: "127.0.0.1", tls: server }),
  (address) => ({ ...target(address.replace("tls:", "http:")), tls: { ca: authority.cert } }),
  { host: "127.0.0.1", port: 1, tls: {} },
);

define(
  "Unix socket",
  common,
  () => {
    sockets += 1;
    return { path: join(directory, String(sockets)) };
  },
  (address) => ({ path: address.slice("unix://".length) }),
  { path: join(directory, "none") },
);

describe("a cut cable", () => {
  const cutCases = transportCases.filter(({ needs }) => needs?.includes("cut"));
  for (const end of ["client", "server"] as const) {
    const relays: Relay[] = [];
    const listener = tcpListener({ host: "127.0.0.1", ...marks });
    const target = loopbackTarget({
      name: "TCP",
      end,
      capabilities: ["cut"],
      setup: () => ({
        listen: listener,
        dial: (address) => async (options) => {
          const relay = await Relay.open(Number(new URL(address).port));
          relays.push(relay);
          return tcp({ host: "127.0.0.1", port: relay.port })(options);
        },
        dialNowhere: tcp({ host: "127.0.0.1", port: 1 }),
        marks: { high: marks.highWaterMark, low: marks.lowWaterMark },
        closeTimeoutMs: marks.closeTimeoutMs,
        cut: () => relays.at(-1)?.cut(),
      }),
    });
    runConformance(cutCases, target, { api: vitestApi });
    afterAll(() => {
      for (const relay of relays) {
        relay.close();
      }
    });
  }
});
