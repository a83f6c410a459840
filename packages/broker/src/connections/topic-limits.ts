import { NOT_AUTHORIZED, TOPIC_NAME_INVALID } from "@tidewire/codec/codes";
import type { BrokerLimits } from "../limits.ts";

/** 0 for a topic that this client may publish to as far as the broker is concerned; else the reason code. */
export function topicRefusal(topic: string, limits: BrokerLimits, client: Publisher): number {
  if (!topicFits(topic, limits)) {
    return TOPIC_NAME_INVALID;
  }
  return topic.startsWith("$SYS/") && !isBridgeState(topic, client) ? NOT_AUTHORIZED : 0;
}

interface Publisher {
  readonly clientId: string;
  readonly bridge?: boolean;
}

/**
 * `$SYS` is the broker's own, but for the place where Mosquitto's bridges say that they are there. In MQTT 5 they have no
 * mark: there a client has the place of its own identifier.
 */
function isBridgeState(topic: string, { clientId, bridge }: Publisher): boolean {
  const name = /^\$SYS\/broker\/connection\/([^/]+)\/state$/.exec(topic)?.[1];
  return name !== undefined && (bridge === true || name === clientId);
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
