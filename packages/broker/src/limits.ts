import { totalmem } from "node:os";
import { getHeapStatistics } from "node:v8";
import type { QoS } from "@tidewire/codec";

/** What happens when a session's queue is full. QoS 0 messages go first in every case. */
export type QueuePolicy = "drop-newest" | "drop-oldest" | "disconnect";

/** Every bound of a broker. What breaks one is refused with the reason code named here, and counted in the metrics. */
export interface BrokerLimits {
  /** Bytes of a whole packet from a client; announced in CONNACK; 0x95. */
  readonly maximumPacketSize: number;
  /** Characters of a topic name (0x90; 3.x: connection closed) or filter (0x97 in SUBACK; 3.x: 0x80). */
  readonly topicLength: number;
  /** Levels of a topic name or filter; as `topicLength`. */
  readonly topicLevels: number;
  /** Characters of a client identifier; 0x85. */
  readonly clientIdLength: number;
  /** The same for clients of MQTT 3.1, which allows 23; return code 2. */
  readonly clientIdLength31: number;
  /** Topic filters in one SUBSCRIBE; the rest gets 0x97. */
  readonly filtersPerSubscribe: number;
  /** Subscriptions of one session; 0x97. */
  readonly subscriptionsPerSession: number;
  /**
   * Shapes of one session's filters with wildcards; 0x97. The shape of a filter is how many levels it has and which of them
   * are wildcards, so that of all filters with one shape, one at most matches a topic: this is how many subscriptions of a
   * session can overlap. `devices/1/+`, `devices/2/+` and so on are one shape.
   */
  readonly filterShapesPerSession: number;
  /** The same for all sessions of one user together, where users sign in; 0x97. */
  readonly filterShapesPerUser: number;
  /**
   * Shapes of one session's shared subscriptions, those of each group counted apart; 0x97. This is how many copies of one
   * message can go to one session by its groups. Any number of filters without wildcards in one group are one shape.
   */
  readonly sharedShapesPerSession: number;
  /** The same for all sessions of one user together, where users sign in; 0x97. */
  readonly sharedShapesPerUser: number;
  /** Highest QoS granted and accepted; 0x9B. */
  readonly maximumQoS: QoS;
  /** Whether messages may be retained; 0x9A. */
  readonly retainAvailable: boolean;
  /** Whether filters may have wildcards; 0xA2. */
  readonly wildcardSubscriptionAvailable: boolean;
  /** Whether subscriptions may be shared; 0x9E. */
  readonly sharedSubscriptionAvailable: boolean;
  /** Whether subscriptions may have identifiers; 0xA1. */
  readonly subscriptionIdentifierAvailable: boolean;
  /** Unanswered QoS 1 and 2 messages taken from one client; announced in CONNACK; 0x93. */
  readonly receiveMaximum: number;
  /** Unanswered QoS 1 and 2 messages sent to one client, also where its own Receive Maximum allows more. */
  readonly inflight: number;
  /** Topic aliases a client may set; announced in CONNACK; 0x94. */
  readonly topicAliasMaximum: number;
  /** Bytes that may wait on a connection that is full, before messages wait in the session's queue instead. */
  readonly sendAheadBytes: number;
  /** Messages that wait in one session. */
  readonly queueCount: number;
  /** Payload bytes that wait in one session. */
  readonly queueBytes: number;
  readonly queuePolicy: QueuePolicy;
  /** Whether QoS 0 messages wait for a session that is offline, too. */
  readonly queueQoS0Offline: boolean;
  /** Retained messages; 0x97. */
  readonly retainedCount: number;
  /** Payload bytes of all retained messages; 0x97. */
  readonly retainedBytes: number;
  /** Connections that have sent their CONNECT; 0x97 (3.x: return code 3). */
  readonly connections: number;
  /**
   * Connections that have not sent their CONNECT yet, beside the others. When there are more, the oldest one of the address
   * with the most of them is closed.
   */
  readonly silentConnections: number;
  /** Bytes of a CONNECT packet, where `maximumPacketSize` is not less; 0x95. */
  readonly connectPacketSize: number;
  /** Open connections of clients from one network address (IPv6: from its first 64 bits); 0x9F. */
  readonly connectionsPerAddress: number;
  /** CONNECT packets a second from one network address, with one second's worth of burst; 0x9F. */
  readonly connectsPerSecondPerAddress: number;
  /** Refused sign-ins within a minute from one network address, after which all its CONNECTs are refused; 0x9F. */
  readonly failuresPerMinutePerAddress: number;
  /** CONNECT packets a second, with one second's worth of burst; 0x9F. */
  readonly connectsPerSecond: number;
  /** From acceptance to CONNECT. */
  readonly connectTimeoutMs: number;
  /** Sessions, those offline included; 0x97. */
  readonly sessions: number;
  /** Sessions of one user, where users sign in; all without a name count as one; 0x97. */
  readonly sessionsPerUser: number;
  /** Longest session expiry granted, also to 3.x clients without Clean Session; announced in CONNACK. */
  readonly sessionExpirySeconds: number;
  /** Longest keep-alive granted to MQTT 5 clients, as Server Keep Alive; 0 leaves it to them. */
  readonly keepAliveSeconds: number;
  /** How long a hook may take over one client's answer; then the client is refused (0x80, or 0x87 for what it asked). */
  readonly hookTimeoutMs: number;
  /**
   * Bytes that all clients together may make the broker hold in memory: queues that are not in a durable store, unfinished
   * packets, output that has not left, sessions, subscriptions. From three quarters of it on less and less is taken: QoS 0,
   * then new sessions (0x97) and long queues; the connections that hold most are closed (0x97).
   */
  readonly memoryBytes: number;
  /** Match results kept for topics in use, counted in receivers. */
  readonly routeCacheSize: number;
}

export const DEFAULT_LIMITS: BrokerLimits = {
  // Telemetry and commands are far smaller; one client cannot make the broker hold more than this for it.
  maximumPacketSize: 1024 * 1024,
  // The longest there is [MQTT-4.7.3-3]; whoever knows the names in use sets less.
  topicLength: 65_535,
  // The depth the codec accepts by default; the matcher's recursion is bounded by it.
  topicLevels: 128,
  // UUIDs and certificate names fit many times over.
  clientIdLength: 512,
  // What MQTT 3.1 itself allows, section 3.1.
  clientIdLength31: 23,
  // About 5 ms of work: no other client waits longer for it.
  filtersPerSubscribe: 10_000,
  // A gateway that subscribes for each of its devices stays below it.
  subscriptionsPerSession: 50_000,
  // Applications have five or ten; 64 that all match make a new topic's first message about 30 µs dearer for its publisher.
  filterShapesPerSession: 64,
  // A fleet has the shapes of its one program; a new topic's first message stays below a millisecond.
  filterShapesPerUser: 256,
  // A worker has one or two groups; 32 that all match make each message 50 µs dearer, as 32 subscribers would.
  sharedShapesPerSession: 32,
  sharedShapesPerUser: 256,
  maximumQoS: 2,
  retainAvailable: true,
  wildcardSubscriptionAvailable: true,
  sharedSubscriptionAvailable: true,
  subscriptionIdentifierAvailable: true,
  // Enough for full throughput on a long line; each costs some 100 bytes.
  receiveMaximum: 1024,
  inflight: 1024,
  // Each alias keeps one topic in memory for each connection.
  topicAliasMaximum: 32,
  // Bytes take a fifth of the memory of queued messages: who is only a little slow costs no more than who is quick.
  sendAheadBytes: 128 * 1024,
  queueCount: 10_000,
  // With the count a bound on what one absent client can cost.
  queueBytes: 16 * 1024 * 1024,
  // What waits already is what the subscriber was promised first.
  queuePolicy: "drop-newest",
  // A reader that comes back hours later has no use for old telemetry.
  queueQoS0Offline: false,
  retainedCount: 1_000_000,
  retainedBytes: 512 * 1024 * 1024,
  // About 1 GB at 12 kB each.
  connections: 100_000,
  // A second's worth of a reconnect storm, and no more memory than some hundred clients take.
  silentConnections: 10_000,
  // Client identifier, will and credentials are far smaller; a stranger cannot make the broker hold more.
  connectPacketSize: 64 * 1024,
  // Many devices behind one NAT are normal; a tenth of all is not.
  connectionsPerAddress: 10_000,
  // A fleet behind one NAT is back in ten seconds.
  connectsPerSecondPerAddress: 1000,
  // A fleet with some misconfigured devices stays below; guessing passwords does not get far.
  failuresPerMinutePerAddress: 1000,
  // Half of what one core can take, so that a reconnect storm leaves room for traffic.
  connectsPerSecond: 5_000,
  // Three round trips of a slow mobile network; SlowITe keeps a socket no longer.
  connectTimeoutMs: 10_000,
  sessions: 1_000_000,
  // A fleet may share one name; one leaked name must not take the room of all others.
  sessionsPerUser: 100_000,
  // A month: a device that was away longer starts anew.
  sessionExpirySeconds: 30 * 24 * 3600,
  // A dead peer is noticed within the hour and a half.
  keepAliveSeconds: 3600,
  // A slow password hash under a reconnect storm, or a database that fails over.
  hookTimeoutMs: 60_000,
  // Half of what the process may have: the rest is for code, garbage, caches and what is on its way.
  memoryBytes: defaultMemoryBytes(),
  // 8 MB of references.
  routeCacheSize: 1_000_000,
};

/**
 * Steps of work done in one turn of the loop, over what single packets need: a step is what takes about 100 ns on a slow
 * machine, so that the others wait about a millisecond.
 */
export const TURN_STEPS = 10_000;

/** Steps that one piece of work gets before the next has its turn. */
export const JOB_STEPS = 2000;

/** Steps of sending what waits that one packet of a client may cause at once. */
export const PUMP_STEPS = 10_000;

/** For one message that is sent from a queue or a replay, whatever its size. */
export const SEND_STEPS = 8;

/** One step for this many bytes of its payload: 256 KiB of large messages a turn. */
export const BYTES_PER_STEP = 32;

/** For one message that is read from the store and judged by hooks. */
export const READ_STEPS = 20;

/** For one message that is put into a queue. */
export const ENQUEUE_STEPS = 8;

/** For one topic filter that is judged by hooks, and put into the routes or taken out. */
export const FILTER_STEPS = 20;

/**
 * A publication counts as one step for this many receivers: after 80,000 deliveries, some ten milliseconds, its publisher
 * waits. One read of a socket for a hundred receivers stays below it, so that they get it in one write each.
 */
export const RECEIVERS_PER_STEP = 8;

/** Members of a shared subscription that are looked at for one message, before the best of them has to do. */
export const MEMBERS_ASKED = 1000;

/** Changes that routes are checked against one by one; what was not used for longer is built again. */
export const ROUTE_CHANGES_KEPT = 32;

/** Queue entries read from the store at once. */
export const QUEUE_PAGE_COUNT = 256;

/** Queue entries read at once where only what they are is looked at, a little at a time. */
export const INDEX_PAGE_COUNT = 32;

/** Payload bytes read from the store at once. */
export const QUEUE_PAGE_BYTES: number = 256 * 1024;

/** Longest topic whose match result is kept: longer ones are rare, and their strings would dominate the cache. */
export const CACHED_TOPIC_LENGTH = 512;

/**
 * How long what nobody waits for may wait for its commit. Most messages are acknowledged by then, so that nothing of
 * their way out is ever written.
 */
export const COMMIT_DELAY_MS = 10;

/**
 * Records that wait for the store before whoever stages more has to wait, too: a transaction writes them all in one turn, at
 * two to four microseconds each. Small transactions cost more a record: with a thousand each, a queue fills a third slower.
 */
export const STAGED_RECORDS = 2500;

/** How often `$SYS` topics are published, as Mosquitto's `sys_interval`. */
export const SYS_INTERVAL_MS = 10_000;

/** How often retained messages that have expired are cleared away; in all it takes about 20 ms for a million. */
export const RETAINED_SWEEP_MS = 60_000;

/** How long `close` waits for connections to take their last bytes. */
export const CLOSE_TIMEOUT_MS = 5000;

/** How often addresses are forgotten that have no connections any more. */
export const ADDRESS_SWEEP_MS = 60_000;

/** How often what connections hold is added up, and those that hold most are looked for. */
export const MEMORY_CHECK_MS = 250;

/** Half of the heap limit, or of what the system lets the process have where that is less. */
function defaultMemoryBytes(): number {
  const constrained = process.constrainedMemory?.() ?? 0;
  const system = constrained > 0 ? Math.min(constrained, totalmem()) : totalmem();
  return Math.floor(Math.min(getHeapStatistics().heap_size_limit, system) / 2);
}
