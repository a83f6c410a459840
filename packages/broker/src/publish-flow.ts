import type { Properties, PublishPacket } from "@tidewire/codec";
import {
  NO_MATCHING_SUBSCRIBERS,
  NOT_AUTHORIZED,
  QOS_NOT_SUPPORTED,
  QUOTA_EXCEEDED,
  RETAIN_NOT_SUPPORTED,
  SUCCESS,
  TOPIC_NAME_INVALID,
} from "@tidewire/codec/codes";
import type { ClientConnection } from "./client-connection.ts";
import type { BrokerContext } from "./context.ts";
import { Encodings } from "./encodings.ts";
import { type Verdict, verdictCode } from "./hooks.ts";
import type { BrokerLimits } from "./limits.ts";
import { awaitHook } from "./pending.ts";
import { IncomingPublication } from "./publication.ts";

/** A PUBLISH of a client, from arrival to its acknowledgement. */
export function handlePublish(context: BrokerContext, connection: ClientConnection, packet: PublishPacket): void {
  const { hooks, metrics } = context;
  metrics.publishReceived += 1;
  metrics.publishBytesReceived += packet.payload.byteLength;
  if (!acceptsTopic(packet.topic, context.limits)) {
    refuse(context, connection, packet, TOPIC_NAME_INVALID);
    return;
  }
  // MQTT 5 clients were told in CONNACK, and their sessions see to it.
  if (packet.qos > context.limits.maximumQoS) {
    connection.disconnect(QOS_NOT_SUPPORTED);
    return;
  }
  if (packet.retain && !context.limits.retainAvailable) {
    connection.disconnect(RETAIN_NOT_SUPPORTED);
    return;
  }
  const publication = new IncomingPublication(
    packet.topic,
    packet.payload,
    packet.qos,
    packet.retain,
    withoutAlias(packet.properties),
    connection.brokerSession!.clientId,
    context.clock.nowMs(),
  );
  if (hooks.authorizePublish === undefined) {
    accept(context, connection, packet, publication, true);
    return;
  }
  let answeredAtOnce = true;
  awaitHook<Verdict>(
    context,
    connection,
    "authorizePublish",
    () => hooks.authorizePublish!(connection.client!, publication),
    (verdict) => {
      const reasonCode = verdictCode(verdict ?? false);
      if (reasonCode === 0) {
        accept(context, connection, packet, publication, answeredAtOnce);
      } else {
        refuse(context, connection, packet, reasonCode);
      }
    },
  );
  answeredAtOnce = false;
}

/** An alias means something on the connection it came by, and nowhere else. */
function withoutAlias(properties: Properties | undefined): Properties | undefined {
  if (properties?.topicAlias === undefined) {
    return properties;
  }
  const { topicAlias: _, ...forwarded } = properties;
  return forwarded;
}

/** Topics within the limits; `$SYS` is the broker's own. */
export function acceptsTopic(topic: string, limits: BrokerLimits): boolean {
  return topicFits(topic, limits) && !topic.startsWith("$SYS/");
}

/** Whether a topic name or filter is short and shallow enough. */
export function topicFits(topic: string, limits: BrokerLimits): boolean {
  if (topic.length < limits.topicLevels) {
    // Too short to have too many levels: nearly every topic.
    return topic.length <= limits.topicLength;
  }
  if (topic.length > limits.topicLength) {
    return false;
  }
  let levels = 1;
  for (let index = topic.indexOf("/"); index >= 0; index = topic.indexOf("/", index + 1)) {
    levels += 1;
  }
  return levels <= limits.topicLevels;
}

function accept(
  context: BrokerContext,
  connection: ClientConnection,
  packet: PublishPacket,
  publication: IncomingPublication,
  bytesAtHand: boolean,
): void {
  const { publisher } = context;
  if (!publisher.accepts(publication)) {
    refuse(context, connection, packet, QUOTA_EXCEEDED);
    return;
  }
  // A repeated packet has DUP set, and an alias means nothing to others: such bytes are not for them.
  const forward = bytesAtHand && !packet.dup && packet.properties?.topicAlias === undefined;
  const encodings = forward
    ? new Encodings(publication, connection.link.lastPacketBytes(), connection.protocol.version)
    : new Encodings(publication);
  const receivers = publisher.publish(publication, encodings, connection.client);
  if (packet.qos > 0) {
    const reasonCode = receivers === 0 && connection.protocol.version === 5 ? NO_MATCHING_SUBSCRIBERS : SUCCESS;
    connection.protocol.acknowledge(packet.packetId, reasonCode, context.loop.now);
  }
}

/**
 * Nothing is done with the message. MQTT 5 says so; 3.x can only acknowledge what it does not allow [MQTT-3.3.5-2], or
 * close the connection over what it could not keep, so that the client sends it again.
 */
function refuse(context: BrokerContext, connection: ClientConnection, packet: PublishPacket, reasonCode: number): void {
  context.metrics.publishRefused += 1;
  if (packet.qos === 0) {
    return;
  }
  const { protocol } = connection;
  if (protocol.version === 5) {
    protocol.acknowledge(packet.packetId, reasonCode, context.loop.now);
  } else if (reasonCode === NOT_AUTHORIZED) {
    protocol.acknowledge(packet.packetId, SUCCESS, context.loop.now);
  } else {
    connection.disconnect(reasonCode);
  }
}
