import { MAXIMUM_FIELD_LENGTH, MAXIMUM_TOPIC_LEVELS } from "./limits.ts";
import type { ProtocolVersion } from "./packets.ts";
import {
  SHARED_SUBSCRIPTIONS_NOT_SUPPORTED,
  SUCCESS,
  WILDCARD_SUBSCRIPTIONS_NOT_SUPPORTED,
} from "./reason-code-numbers.ts";
import {
  fail,
  multiLevelMisplaced,
  shareMalformed,
  singleLevelMisplaced,
  topicEmpty,
  topicTooDeep,
  topicTooLong,
} from "./rules.ts";
import { checkText } from "./text.ts";

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
const MQTT_5 = { version: 5 } as const;
const SLASH = 0x2f;
const PLUS = 0x2b;
const HASH = 0x23;
const DOLLAR = 0x24;

/** Throws `MqttError` unless `topic` can be published to. */
export function validateTopicName(topic: string, limits?: TopicLimits): void {
  checkSize(topic, limits);
  checkText(topic, MQTT_5, true);
}

/** Throws `MqttError` unless `filter` can be subscribed to; a shared one is checked in all its parts. */
export function validateTopicFilter(filter: string, limits?: TopicLimits): void {
  checkSize(filter, limits);
  // What has none of these has nothing to be wrong.
  if (!/[\0#$+\p{Cs}]/u.test(filter)) {
    return;
  }
  checkText(filter, MQTT_5, false);
  checkFilter(filter, MQTT_5);
}

/** Where wildcards stand and, in MQTT 5, what makes a shared filter; says nothing of length and characters. */
export function checkFilter(filter: string, where: { readonly version: ProtocolVersion }): void {
  if (filter === "") {
    fail(topicEmpty, where);
  }
  // Nearly every filter is told from all that have a wildcard or a group by one look.
  if (!/[#$+]/.test(filter)) {
    return;
  }
  if (/[^/]#|#./s.test(filter)) {
    fail(multiLevelMisplaced, where);
  }
  if (/[^/]\+|\+[^/]/.test(filter)) {
    fail(singleLevelMisplaced, where);
  }
  if (where.version === 5 && isSharedFilter(filter)) {
    checkSharedFilter(filter);
  }
}

/** Whether a filter has `+` or `#`. Of a shared one all parts count; a group has none. */
export function hasWildcard(filter: string): boolean {
  return filter.includes("+") || filter.includes("#");
}

/** Whether a filter is one of a shared subscription, `$share/{group}/{filter}`, well-formed or not. */
export function isSharedFilter(filter: string): boolean {
  return filter.startsWith(SHARE_PREFIX);
}

/** Length of the `$share/{group}/` that a well-formed shared filter begins with; 0 for any other filter. */
export function sharedPrefixLength(filter: string): number {
  return isSharedFilter(filter) ? filter.indexOf("/", SHARE_PREFIX.length) + 1 : 0;
}

/** Takes a `$share/` filter apart; undefined for any other. Throws `MqttError` on one that is not whole. */
export function parseSharedFilter(filter: string): SharedFilter | undefined {
  if (!isSharedFilter(filter)) {
    return undefined;
  }
  checkSharedFilter(filter);
  const length = sharedPrefixLength(filter);
  return { group: filter.slice(SHARE_PREFIX.length, length - 1), filter: filter.slice(length) };
}

/** What a server says in CONNACK of the filters that it takes; what is not said is available. */
export interface FilterAvailability {
  readonly wildcardSubscriptionAvailable?: boolean;
  readonly sharedSubscriptionAvailable?: boolean;
}

/**
 * The reason code for a filter that a server which announced this does not take: 0x9E for a shared subscription, 0xA2
 * for a wildcard; 0 for a filter that it takes.
 */
export function excludedFilter(filter: string, announced: FilterAvailability = {}): number {
  if (announced.sharedSubscriptionAvailable === false && isSharedFilter(filter)) {
    return SHARED_SUBSCRIPTIONS_NOT_SUPPORTED;
  }
  const wildcard = announced.wildcardSubscriptionAvailable === false && hasWildcard(filter);
  return wildcard ? WILDCARD_SUBSCRIPTIONS_NOT_SUPPORTED : SUCCESS;
}

function checkSharedFilter(filter: string): void {
  if (/^[^/]+\/(\/|$)/.test(filter)) {
    fail(shareMalformed, MQTT_5, "4.8.2-1");
  }
  if (!/^[^/]+\/[^/+#]+\/./s.test(filter)) {
    fail(shareMalformed, MQTT_5);
  }
}

/**
 * Whether a valid filter matches a valid topic name. A filter that begins with a wildcard does not match topics that
 * begin with `$` [MQTT-4.7.2-1]; of a `$share/` filter the part behind the group counts.
 */
export function matches(filter: string, topic: string): boolean {
  let f = sharedPrefixLength(filter);
  const first = filter.charCodeAt(f);
  if (topic.charCodeAt(0) === DOLLAR && (first === PLUS || first === HASH)) {
    return false;
  }
  let t = 0;
  for (; f < filter.length; f += 1) {
    const unit = filter.charCodeAt(f);
    if (unit === HASH) {
      return true;
    }
    if (unit === PLUS) {
      while (t < topic.length && topic.charCodeAt(t) !== SLASH) {
        t += 1;
      }
    } else if (t < topic.length && topic.charCodeAt(t) === unit) {
      t += 1;
    } else {
      // "a/#" also matches its parent "a".
      return t === topic.length && unit === SLASH && filter.charCodeAt(f + 1) === HASH;
    }
  }
  return t === topic.length;
}

function checkSize(text: string, limits: TopicLimits = {}): void {
  if (text === "") {
    fail(topicEmpty, MQTT_5);
  }
  const { maximumLength = MAXIMUM_FIELD_LENGTH, maximumLevels = MAXIMUM_TOPIC_LEVELS } = limits;
  // Nothing needs counting in a short one: no character takes more than three bytes, and each slash is one.
  if (text.length * 3 > maximumLength && utf8Length(text) > maximumLength) {
    fail(topicTooLong, MQTT_5);
  }
  if (text.length >= maximumLevels && text.split("/").length > maximumLevels) {
    fail(topicTooDeep, MQTT_5);
  }
}

function utf8Length(text: string): number {
  let length = 0;
  // A pair of surrogates counts four, half of it each.
  for (let i = 0; i < text.length; i += 1) {
    const unit = text.charCodeAt(i);
    length += unit < 0x80 ? 1 : unit < 0x800 || (unit >= 0xd800 && unit <= 0xdfff) ? 2 : 3;
  }
  return length;
}
