import type { MqttVersion } from "../case.ts";
import type { RawDial } from "../connection.ts";
import { ANSWER_TIMEOUT_MS } from "../limits.ts";
import { Peer } from "../peer.ts";
import * as wire from "../wire/index.ts";
import { numberProperty, Transcript, type WirePacket } from "../wire/index.ts";

/** What a server says about itself before the first case. */
export interface Probe {
  /** Versions in which it accepts a plain CONNECT. */
  readonly versions: readonly MqttVersion[];
  /** Capabilities that its CONNACK rules out. */
  readonly lacks: readonly string[];
}

/** Connects once in each version; rejects when the server cannot be reached at all. */
export async function probe(
  dial: RawDial,
  prefix: string,
  credentials: { readonly username: string; readonly password: string } | undefined,
): Promise<Probe> {
  const versions: MqttVersion[] = [];
  const lacks: string[] = [];
  for (const version of ["3.1.1", "5.0"] as const) {
    const connack = await connackOf(dial, version, `${prefix}probe`, credentials);
    if (connack?.reasonCode !== 0) {
      continue;
    }
    versions.push(version);
    if (version === "5.0") {
      lacks.push(...ruledOut(connack));
    }
  }
  return { versions, lacks };
}

async function connackOf(
  dial: RawDial,
  version: MqttVersion,
  clientId: string,
  credentials: { readonly username: string; readonly password: string } | undefined,
): Promise<WirePacket | undefined> {
  const peer = new Peer(await dial(), {
    version,
    label: "probe",
    transcript: new Transcript(),
    answerTimeoutMs: ANSWER_TIMEOUT_MS,
    quietMs: 0,
  });
  peer.send(wire.connect(version, { clientId, ...credentials }));
  const connack = await peer.take("CONNACK").catch(() => undefined);
  if (connack?.reasonCode === 0) {
    peer.disconnect();
  } else {
    peer.drop();
  }
  return connack;
}

function ruledOut(connack: WirePacket): string[] {
  const lacks: string[] = [];
  if (numberProperty(connack, "retainAvailable", 1) === 0) {
    lacks.push("retain");
  }
  if (numberProperty(connack, "sharedSubscriptionAvailable", 1) === 0) {
    lacks.push("shared");
  }
  if (numberProperty(connack, "subscriptionIdentifierAvailable", 1) === 0) {
    lacks.push("subscription-identifiers");
  }
  if (numberProperty(connack, "topicAliasMaximum", 0) === 0) {
    lacks.push("topic-alias");
  }
  return lacks;
}
