import { decode, encode, type Packet } from "@tidewire/codec";
import { type MqttVersion, runConformance } from "@tidewire/conformance";
import { type CodecHarness, codecCases } from "@tidewire/conformance/codec";
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
  { name: "Tidewire session", capabilities: [], setup: () => tidewireSessions },
  { api: vitestApi },
);
