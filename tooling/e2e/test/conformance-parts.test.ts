import { readFileSync } from "node:fs";
import { decode, encode, type Packet } from "@tidewire/codec";
import { type MqttVersion, runConformance } from "@tidewire/conformance";
import { type CodecHarness, type CodecVector, codecCases, codecVectorCases } from "@tidewire/conformance/codec";
import { sessionCases } from "@tidewire/conformance/session";
import { vitestApi } from "@tidewire/conformance/vitest";
import { tidewireSessions } from "./conformance-session-driver.ts";

const level = (version: MqttVersion): 4 | 5 => (version === "5.0" ? 5 : 4);

const codec: CodecHarness = {
  decode: (bytes, version) => decode(bytes, level(version)),
  encode: (packet, version) => encode(packet as Packet, level(version)),
};

runConformance(codecCases, { name: "Tidewire codec", capabilities: [], setup: () => codec }, { api: vitestApi });
runConformance(
  sessionCases,
  { name: "Tidewire session", capabilities: ["reauthenticate"], setup: () => tidewireSessions },
  { api: vitestApi },
);

/** The codec's own vectors, read as any other codec would. */
function vectors(name: string): CodecVector[] {
  const file = new URL(`../../../packages/codec/vectors/${name}.json`, import.meta.url);
  return JSON.parse(readFileSync(file, "utf8"));
}

runConformance(
  codecVectorCases({ valid: vectors("valid"), invalid: vectors("invalid-bytes") }),
  { name: "Tidewire codec, vectors", capabilities: [], setup: () => codec },
  { api: vitestApi },
);
