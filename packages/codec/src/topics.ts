import { MAXIMUM_FIELD_LENGTH, MAXIMUM_TOPIC_LEVELS } from "./limits.ts";
import type { ProtocolVersion } from "./packets.ts";
import {
  fail,
  multiLevelWildcardMisplaced,
  sharedFilterInvalid,
  singleLevelWildcardMisplaced,
  stringHasNull,
  stringMalformed,
  topicEmpty,
  topicNameHasWildcard,
  topicTooDeep,
  topicTooLong,
} from "./rules.ts";

/** Bounds for the topics of an application; the wire format itself knows only the length. */
export interface TopicLimits {
  /** Levels, which are one more than the slashes. Default 128. */
  readonly maximumLevels?: number;
  /** Bytes in UTF-8, at most 65,535, which is the default. */
  readonly maximumLength?: number;
}

/** A shared subscription's filter taken apart: `$share/{group}/{filter}`. */
export interface SharedFilter {
  readonly group: string;
  readonly filter: string;
}

const SHARE_PREFIX = "$share/";
const SLASH = 0x2f;
const PLUS = 0x2b;
const HASH = 0x23;
const DOLLAR = 0x24;

/** Throws `MqttError` unless `topic` can be published to. */
export function validateTopicName(topic: string, limits?: TopicLimits): void {
  checkText(topic, limits);
  for (let i = 0; i < topic.length; i++) {
    const unit = topic.charCodeAt(i);
    if (unit === PLUS || unit === HASH) fail(topicNameHasWildcard, 5, "MQTT-3.3.2-2");
  }
}

/** Throws `MqttError` unless `filter` can be subscribed to; a shared one is checked in all its parts. */
export function validateTopicFilter(filter: string, limits?: TopicLimits): void {
  checkText(filter, limits);
  checkFilterSyntax(filter, 5);
}

/** Where wildcards stand and, in MQTT 5, what makes a shared filter; says nothing of length and characters. */
export function checkFilterSyntax(filter: string, version: ProtocolVersion): void {
  if (filter === "") fail(topicEmpty, version);
  const last = filter.length - 1;
  for (let i = 0; i <= last; i++) {
    const unit = filter.charCodeAt(i);
    if (unit !== PLUS && unit !== HASH) continue;
    const opensLevel = i === 0 || filter.charCodeAt(i - 1) === SLASH;
    if (unit === HASH) {
      if (!opensLevel || i !== last) fail(multiLevelWildcardMisplaced, version);
    } else if (!opensLevel || (i !== last && filter.charCodeAt(i + 1) !== SLASH)) {
      fail(singleLevelWildcardMisplaced, version);
    }
  }
  if (version === 5 && filter.startsWith(SHARE_PREFIX)) parseSharedFilter(filter);
}

/** Takes a `$share/` filter apart; undefined for any other. Throws `MqttError` on one that is cut short. */
export function parseSharedFilter(filter: string): SharedFilter | undefined {
  if (!filter.startsWith(SHARE_PREFIX)) return undefined;
  const slash = filter.indexOf("/", SHARE_PREFIX.length);
  if (slash === SHARE_PREFIX.length) fail(sharedFilterInvalid, 5, "MQTT-4.8.2-1");
  if (slash < 0 || slash === filter.length - 1) fail(sharedFilterInvalid, 5);
  const group = filter.slice(SHARE_PREFIX.length, slash);
  if (group.includes("+") || group.includes("#")) fail(sharedFilterInvalid, 5);
  return { group, filter: filter.slice(slash + 1) };
}

/**
 * Whether a valid filter matches a valid topic name. A filter that begins with a wildcard does not match topics that
 * begin with `$` [MQTT-4.7.2-1]; of a `$share/` filter the part behind the group counts.
 */
export function matches(filter: string, topic: string): boolean {
  let f = filter.startsWith(SHARE_PREFIX) ? filter.indexOf("/", SHARE_PREFIX.length) + 1 : 0;
  const first = filter.charCodeAt(f);
  if (topic.charCodeAt(0) === DOLLAR && (first === PLUS || first === HASH)) return false;
  let t = 0;
  for (; f < filter.length; f++) {
    const unit = filter.charCodeAt(f);
    if (unit === HASH) return true;
    if (unit === PLUS) {
      while (t < topic.length && topic.charCodeAt(t) !== SLASH) t++;
    } else if (t < topic.length && topic.charCodeAt(t) === unit) {
      t++;
    } else {
      // "a/#" also matches its parent "a".
      return t === topic.length && unit === SLASH && filter.charCodeAt(f + 1) === HASH;
    }
  }
  return t === topic.length;
}

function checkText(text: string, limits: TopicLimits | undefined): void {
  if (text === "") fail(topicEmpty, 5);
  let length = 0;
  let levels = 1;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit === 0) fail(stringHasNull, 5, "MQTT-4.7.3-2");
    if (unit === SLASH) levels++;
    if (unit >= 0xd800 && unit <= 0xdfff) {
      const low = text.charCodeAt(++i);
      if (unit > 0xdbff || !(low >= 0xdc00 && low <= 0xdfff)) fail(stringMalformed, 5);
      length += 4;
    } else {
      length += unit < 0x80 ? 1 : unit < 0x800 ? 2 : 3;
    }
  }
  if (length > Math.min(limits?.maximumLength ?? MAXIMUM_FIELD_LENGTH, MAXIMUM_FIELD_LENGTH)) {
    fail(topicTooLong, 5, "MQTT-4.7.3-3");
  }
  if (levels > (limits?.maximumLevels ?? MAXIMUM_TOPIC_LEVELS)) fail(topicTooDeep, 5);
}
