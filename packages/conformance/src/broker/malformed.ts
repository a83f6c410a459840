import { ConformanceFailure, check } from "../failure.ts";
import { VARIANTS_AT_A_TIME } from "../limits.ts";
import { MALFORMED_FROM_CLIENT, type MalformedPacket, type MalformedVariant } from "../malformed/index.ts";
import type { Peer } from "../peer.ts";
import { type BrokerCase, rule } from "./define.ts";
import type { Lab } from "./lab.ts";

/** A server closes the connection on which a malformed packet arrives; nothing it says before is required. */
export const malformedCases: readonly BrokerCase[] = MALFORMED_FROM_CLIENT.flatMap((malformed) =>
  rule({
    id: `malformed/${malformed.id}`,
    title: `closes the connection on ${malformed.fault}`,
    ...(malformed.v3 === undefined ? {} : { v3: malformed.v3 }),
    ...(malformed.v5 === undefined ? {} : { v5: malformed.v5 }),
    run: (lab) => refusesAll(lab, malformed),
  }),
);

async function refusesAll(lab: Lab, malformed: MalformedPacket): Promise<void> {
  const names = { topic: lab.topic(), clientId: lab.clientId("m") };
  const variants = malformed.variants(lab.version, names);
  const refuse = malformed.isFirst === true ? refusesConnect : refusesPacket;
  const wrong: string[] = [];
  for (let start = 0; start < variants.length; start += VARIANTS_AT_A_TIME) {
    const some = variants.slice(start, start + VARIANTS_AT_A_TIME);
    const outcomes = await Promise.allSettled(some.map((variant) => refuse(lab, malformed, variant)));
    for (const outcome of outcomes) {
      if (outcome.status === "rejected") {
        wrong.push(String(outcome.reason.message));
      }
    }
  }
  if (wrong.length > 0) {
    throw new ConformanceFailure(wrong.join("; "));
  }
}

/** In 3.1.1 without a CONNACK [MQTT-3.1.4-1]; in 5.0 at most one with an error code [MQTT-3.1.4-2]. */
async function refusesConnect(lab: Lab, malformed: MalformedPacket, variant: MalformedVariant): Promise<void> {
  const peer = await lab.open(variant.name === "" ? "client" : variant.name);
  peer.send(variant.bytes);
  await peer.closes(describe(malformed, variant));
  for (const packet of peer.received) {
    check(lab.five && packet.reasonCode >= 0x80, `expected no acknowledgement of ${describe(malformed, variant)}`);
  }
}

async function refusesPacket(lab: Lab, malformed: MalformedPacket, variant: MalformedVariant): Promise<void> {
  const peer = await lab.connect({ label: variant.name === "" ? "client" : variant.name });
  peer.send(variant.bytes);
  if (malformed.mayRefuse === true && (await refusedInSuback(peer))) {
    return;
  }
  await peer.closes(describe(malformed, variant));
}

async function refusedInSuback(peer: Peer): Promise<boolean> {
  const suback = await peer.take("SUBACK").catch(() => undefined);
  return suback?.reasonCodes.every((code) => code >= 0x80) ?? false;
}

function describe(malformed: MalformedPacket, variant: MalformedVariant): string {
  return variant.name === "" ? malformed.fault : `${malformed.fault} (${variant.name})`;
}
