import type { Properties, PublishPacket } from "@tidewire/codec";
import {
  NO_MATCHING_SUBSCRIBERS,
  NOT_AUTHORIZED,
  QOS_NOT_SUPPORTED,
  QUOTA_EXCEEDED,
  RETAIN_NOT_SUPPORTED,
  SUCCESS,
} from "@tidewire/codec/codes";
import type { LinkLoop } from "@tidewire/link";
import type { Authority } from "../hooks/index.ts";
import type { BrokerLimits } from "../limits.ts";
import { Encodings, IncomingPublication } from "../messages/index.ts";
import type { MetricsRecorder } from "../metrics/index.ts";
import type { Notices } from "../notices/index.ts";
import type { Publisher } from "../publishing/index.ts";
import type { Storage } from "../storage/index.ts";
import type { Clock } from "../time/index.ts";
import type { Work } from "../work/index.ts";
import type { ConnectedClient } from "./client.ts";
import { reasonText, subjectOf } from "./notice-subject.ts";
import { topicRefusal } from "./topic-limits.ts";

/** What handling PUBLISH needs of a broker. */
export interface PublishNeeds {
  readonly authority: Pick<Authority, "judgesPublications" | "publish">;
  readonly clock: Pick<Clock, "nowMs">;
  readonly limits: BrokerLimits;
  readonly loop: Pick<LinkLoop, "now">;
  readonly metrics: MetricsRecorder;
  readonly notices: Notices;
  readonly publisher: Publisher;
  readonly storage: Pick<Storage, "crowded" | "drained">;
  readonly work: Pick<Work, "exhausted" | "overdrawn">;
}

/** A PUBLISH of a client, from arrival to its acknowledgement. */
export function handlePublish(needs: PublishNeeds, client: ConnectedClient, packet: PublishPacket): void {
  const { authority, limits, metrics } = needs;
  metrics.publishReceived += 1;
  metrics.publishBytesReceived += packet.payload.byteLength;
  const refusal = topicRefusal(packet.topic, limits, client.info);
  if (refusal !== 0) {
    refuse(needs, client, packet, refusal);
    return;
  }
  // MQTT 5 clients were told in CONNACK, and their protocols see to it.
  if (packet.qos > limits.maximumQoS) {
    client.disconnect(
      QOS_NOT_SUPPORTED,
      `The client published with QoS ${packet.qos}; the limit is ${limits.maximumQoS}.`,
    );
    return;
  }
  if (packet.retain && !limits.retainAvailable) {
    client.disconnect(RETAIN_NOT_SUPPORTED, "The client published a retained message, which the limits forbid.");
    return;
  }
  const publication = new IncomingPublication(
    packet.topic,
    packet.payload,
    packet.qos,
    packet.retain,
    withoutAlias(packet.properties),
    client.session.clientId,
    needs.clock.nowMs(),
    client.info.username,
  );
  const verdict = authority.judgesPublications ? authority.publish(client.info, publication) : 0;
  if (typeof verdict === "number") {
    decide(needs, client, packet, publication, verdict, true);
  } else {
    client.wait(verdict, (code) => decide(needs, client, packet, publication, code, false));
  }
}

/** An alias means something on the connection it came by, and nowhere else. */
function withoutAlias(properties: Properties | undefined): Properties | undefined {
  if (properties?.topicAlias === undefined) {
    return properties;
  }
  const { topicAlias: _, ...forwarded } = properties;
  return forwarded;
}

/** `bytesAtHand`: the packet is still the one that was read last. */
function decide(
  needs: PublishNeeds,
  client: ConnectedClient,
  packet: PublishPacket,
  publication: IncomingPublication,
  verdict: number,
  bytesAtHand: boolean,
): void {
  if (verdict !== 0) {
    refuse(needs, client, packet, verdict);
    return;
  }
  // A repeated packet has DUP set, and an alias means nothing to others: such bytes are not for them.
  const forward = bytesAtHand && !packet.dup && packet.properties?.topicAlias === undefined;
  const encodings = forward
    ? new Encodings(publication, client.link.lastPacketBytes(), client.protocol.version)
    : new Encodings(publication);
  const receivers = needs.publisher.publish(publication, encodings, client.info);
  if (needs.work.exhausted) {
    restIfOverdrawn(needs, client);
  }
  if (needs.storage.crowded) {
    // What its messages stage is written before more of them is read.
    client.wait(needs.storage.drained(), () => {});
  }
  if (receivers < 0) {
    refuse(needs, client, packet, QUOTA_EXCEEDED);
  } else if (packet.qos > 0) {
    const reasonCode = receivers === 0 && client.protocol.version === 5 ? NO_MATCHING_SUBSCRIBERS : SUCCESS;
    client.protocol.acknowledge(packet.packetId, reasonCode, needs.loop.now);
  }
}

/** New topics or many receivers: the rest of what this client sends has its turn when others had theirs. */
function restIfOverdrawn({ work }: PublishNeeds, client: ConnectedClient): void {
  if (work.overdrawn()) {
    client.rest(() => {});
  }
}

/**
 * Nothing is done with the message. MQTT 5 says so; 3.x can only acknowledge what it does not allow [MQTT-3.3.5-2], or
 * close the connection over what it could not keep, so that the client sends it again.
 */
function refuse(needs: PublishNeeds, client: ConnectedClient, packet: PublishPacket, reasonCode: number): void {
  needs.metrics.publishRefused += 1;
  const why = (): string =>
    `The client may not publish to ${JSON.stringify(packet.topic)} (${reasonText(reasonCode)}).`;
  needs.notices.tell("denied", { ...subjectOf(client), reasonCode, topic: packet.topic }, why);
  if (packet.qos === 0) {
    return;
  }
  const { protocol } = client;
  if (protocol.version === 5) {
    protocol.acknowledge(packet.packetId, reasonCode, needs.loop.now);
  } else if (reasonCode === NOT_AUTHORIZED) {
    protocol.acknowledge(packet.packetId, SUCCESS, needs.loop.now);
  } else {
    client.disconnect(reasonCode, why());
  }
}
