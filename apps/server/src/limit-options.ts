import { type BrokerLimits, DEFAULT_LIMITS } from "@tidewire/broker";
import { UsageError } from "./errors.ts";
import { choice, type OptionSpecs, type ParsedOptions, wholeNumber } from "./options.ts";

/** How one limit of the broker is given on the command line. */
export interface LimitOption {
  readonly option: string;
  readonly text: string;
  readonly kind: LimitKind;
}

export type LimitKind =
  /** A whole number; times `factor` it is the broker's. */
  | { readonly unit: string; readonly minimum: number; readonly maximum: number; readonly factor: number }
  | { readonly choices: readonly string[] };

/** Every limit of the broker, by its name there. A test holds the list to be whole. */
export const LIMIT_GROUPS: Readonly<Record<string, Partial<Record<keyof BrokerLimits, LimitOption>>>> = {
  Connections: {
    connections: number("max-connections", "N", "clients at a time", 1, 10_000_000),
    connectionsPerAddress: number("max-connections-per-address", "N", "of these, from one address", 1, 10_000_000),
    silentConnections: number(
      "max-silent-connections",
      "N",
      "connections that have sent no CONNECT yet",
      1,
      10_000_000,
    ),
    connectsPerSecondPerAddress: number(
      "max-connects-per-second-per-address",
      "N",
      "CONNECT packets a second, from one address",
      1,
      1_000_000,
    ),
    failuresPerMinutePerAddress: number(
      "max-failures-per-minute-per-address",
      "N",
      "failed sign-ins a minute, from one address",
      1,
      1_000_000,
    ),
    connectPacketSize: number("max-connect-size", "BYTES", "longest CONNECT packet", 30, 268_435_455),
    connectsPerSecond: number("max-connects-per-second", "N", "CONNECT packets a second, from all", 1, 1_000_000),
    connectTimeoutMs: seconds("connect-timeout", "from the connection to its CONNECT", 1, 3600),
    hookTimeoutMs: seconds("hook-timeout", "for checking a password, its wait included", 1, 3600),
    keepAliveSeconds: number("keep-alive", "SECONDS", "longest keep-alive of MQTT 5 clients; 0: any", 0, 65_535),
  },
  "Packets and topics": {
    maximumPacketSize: number("max-packet-size", "BYTES", "longest packet taken from a client", 30, 268_435_455),
    topicLength: number("max-topic-length", "CHARS", "longest topic name or filter", 1, 65_535),
    topicLevels: number("max-topic-levels", "N", "its levels", 1, 128),
    clientIdLength: number("max-client-id-length", "CHARS", "longest client identifier", 1, 65_535),
    clientIdLength31: number("max-client-id-length-31", "CHARS", "the same for MQTT 3.1", 1, 65_535),
    topicAliasMaximum: number("max-topic-aliases", "N", "topic aliases that a client may set", 0, 65_535),
    receiveMaximum: number("receive-maximum", "N", "unanswered QoS 1 and 2 messages from one client", 1, 65_535),
    inflight: number("max-inflight", "N", "unanswered QoS 1 and 2 messages to one client", 1, 65_535),
    sendAheadBytes: number("send-ahead", "BYTES", "what may wait on a connection that is full", 1024, 1_000_000_000),
  },
  "Sessions and queues": {
    sessions: number("max-sessions", "N", "sessions, those of clients that are away included", 1, 1_000_000_000),
    sessionsPerUser: number("max-sessions-per-user", "N", "of these, of one user", 1, 1_000_000_000),
    sessionExpirySeconds: number("max-session-expiry", "SECONDS", "how long a client may be away", 0, 4_294_967_295),
    memoryBytes: number("max-memory", "BYTES", "held in memory for all clients together", 1_000_000, 1_000_000_000_000),
    queueCount: number("max-queue", "N", "messages waiting for one client", 1, 1_000_000_000),
    queueBytes: number("max-queue-bytes", "BYTES", "their payloads together", 1, 1_000_000_000_000),
    queuePolicy: oneOf("queue-policy", "what to do when they are too many", [
      "drop-newest",
      "drop-oldest",
      "disconnect",
    ]),
    queueQoS0Offline: onOff("queue-qos0", "whether QoS 0 messages wait for a client that is away, too"),
  },
  "Subscriptions and retained messages": {
    subscriptionsPerSession: number("max-subscriptions", "N", "subscriptions of one client", 1, 10_000_000),
    filterShapesPerSession: number(
      "max-filter-shapes",
      "N",
      "of one client, with wildcards, that can overlap",
      1,
      100_000,
    ),
    filterShapesPerUser: number("max-filter-shapes-per-user", "N", "the same, of all clients of a user", 1, 1_000_000),
    sharedShapesPerSession: number("max-shared-shapes", "N", "of one client, in groups, that can overlap", 1, 100_000),
    sharedShapesPerUser: number("max-shared-shapes-per-user", "N", "the same, of all clients of a user", 1, 1_000_000),
    filtersPerSubscribe: number("max-filters", "N", "topic filters in one SUBSCRIBE", 1, 10_000),
    retainedCount: number("max-retained", "N", "retained messages", 0, 1_000_000_000),
    retainedBytes: number("max-retained-bytes", "BYTES", "their payloads together", 0, 1_000_000_000_000),
    routeCacheSize: number("route-cache", "N", "receivers remembered for topics in use", 0, 100_000_000),
  },
  "What is offered to clients": {
    maximumQoS: oneOf("max-qos", "highest QoS", ["0", "1", "2"]),
    retainAvailable: onOff("retain", "retained messages"),
    wildcardSubscriptionAvailable: onOff("wildcards", "topic filters with + and #"),
    sharedSubscriptionAvailable: onOff("shared-subscriptions", "topic filters with $share/"),
    subscriptionIdentifierAvailable: onOff("subscription-ids", "subscription identifiers"),
  },
};

const MAIN: ReadonlySet<keyof BrokerLimits> = new Set([
  "connections",
  "connectionsPerAddress",
  "maximumPacketSize",
  "keepAliveSeconds",
  "inflight",
  "queueCount",
  "queueBytes",
  "sessionExpirySeconds",
]);

/** How they are given on the command line. */
export const LIMIT_OPTIONS: OptionSpecs = Object.fromEntries(
  all().map(([, { option }]) => [option, { type: "string" }]),
);

/** What `tidewire help limits` lists. */
export const LIMIT_HELP: string = Object.entries(LIMIT_GROUPS)
  .map(([title, group]) => `${title}:\n${entries(group).map(helpLine).join("\n")}`)
  .join("\n\n");

/** Those that are changed most; the lines for `tidewire serve --help`. */
export const MAIN_LIMIT_HELP: string = all()
  .filter(([limit]) => MAIN.has(limit))
  .map(helpLine)
  .join("\n");

/** Reads them; what was not given is left out. */
export function limitOptions(parsed: ParsedOptions): Partial<BrokerLimits> {
  const given = all().flatMap(([limit, { option, kind }]) => {
    const value = "choices" in kind ? chosen(parsed, limit, option, kind.choices) : counted(parsed, option, kind);
    return value === undefined ? [] : [[limit, value]];
  });
  const limits: Partial<BrokerLimits> = Object.fromEntries(given);
  const { maximumPacketSize, queueBytes } = { ...DEFAULT_LIMITS, ...limits };
  if (maximumPacketSize > queueBytes) {
    throw new UsageError(
      `a packet of --max-packet-size ${maximumPacketSize} could never wait in --max-queue-bytes ${queueBytes}`,
      "raise the latter",
    );
  }
  return limits;
}

function counted(
  parsed: ParsedOptions,
  option: string,
  { minimum, maximum, factor }: Extract<LimitKind, { readonly unit: string }>,
): number | undefined {
  const value = wholeNumber(parsed, option, minimum, maximum);
  return value === undefined ? undefined : value * factor;
}

function chosen(
  parsed: ParsedOptions,
  limit: keyof BrokerLimits,
  option: string,
  choices: readonly string[],
): string | number | boolean | undefined {
  const value = choice(parsed, option, choices, "");
  const model = DEFAULT_LIMITS[limit];
  if (value === "") {
    return undefined;
  }
  if (typeof model === "boolean") {
    return value === "on";
  }
  return typeof model === "number" ? Number(value) : value;
}

function number(option: string, unit: string, text: string, minimum: number, maximum: number): LimitOption {
  return { option, text, kind: { unit, minimum, maximum, factor: 1 } };
}

function seconds(option: string, text: string, minimum: number, maximum: number): LimitOption {
  return { option, text, kind: { unit: "SECONDS", minimum, maximum, factor: 1000 } };
}

function onOff(option: string, text: string): LimitOption {
  return oneOf(option, text, ["on", "off"]);
}

function oneOf(option: string, text: string, choices: readonly string[]): LimitOption {
  return { option, text, kind: { choices } };
}

function all(): [limit: keyof BrokerLimits, option: LimitOption][] {
  return Object.values(LIMIT_GROUPS).flatMap(entries);
}

function entries(group: Partial<Record<keyof BrokerLimits, LimitOption>>): [keyof BrokerLimits, LimitOption][] {
  return Object.entries(group) as [keyof BrokerLimits, LimitOption][];
}

function helpLine([limit, { option, text, kind }]: [keyof BrokerLimits, LimitOption]): string {
  const value = "choices" in kind ? kind.choices.join("|") : kind.unit;
  const name = `  --${option} ${value}`;
  const lines = name.length > 34 ? `${name}\n${" ".repeat(36)}` : name.padEnd(36);
  return `${lines}${text} (${shownDefault(limit, kind)})`;
}

function shownDefault(limit: keyof BrokerLimits, kind: LimitKind): string {
  const value = DEFAULT_LIMITS[limit];
  if (typeof value === "boolean") {
    return value ? "on" : "off";
  }
  return String("choices" in kind || typeof value !== "number" ? value : value / kind.factor);
}
