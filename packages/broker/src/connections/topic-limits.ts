import type { BrokerLimits } from "../limits.ts";

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
