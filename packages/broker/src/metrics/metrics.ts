/** Counters since the broker began, and gauges of now. */
export interface BrokerMetrics {
  readonly startedAtMs: number;
  readonly uptimeMs: number;

  /** Open network connections, those before CONNECT included. */
  readonly connections: number;
  readonly connectionsTotal: number;
  readonly connectionsRefused: number;
  /** Closed before their CONNECT, to make room for others. */
  readonly connectionsEvicted: number;
  /** Clients with CONNACK sent. */
  readonly clients: number;
  readonly clientsMaximum: number;
  readonly sessions: number;
  readonly sessionsExpired: number;
  readonly takeovers: number;
  readonly subscriptions: number;
  readonly sharedGroups: number;

  readonly bytesReceived: number;
  readonly bytesSent: number;
  /** PUBLISH packets from clients. */
  readonly publishReceived: number;
  readonly publishBytesReceived: number;
  /** PUBLISH packets to clients, without repetitions. */
  readonly publishSent: number;
  readonly publishBytesSent: number;
  readonly publishRefused: number;

  readonly retained: number;
  readonly retainedBytes: number;
  readonly retainedRefused: number;
  /** Waiting in sessions, in all. */
  readonly queued: number;
  readonly queuedBytes: number;
  /** What is held in memory for clients, counted against `memoryBytes` of the limits. */
  readonly memoryBytes: number;
  /** 0 normal, 1 high, 2 critical, 3 full. */
  readonly memoryLevel: number;
  /** Messages dropped, and connections closed, for lack of memory. */
  readonly droppedMemory: number;
  readonly connectionsClosedMemory: number;
  readonly droppedQoS0: number;
  readonly droppedQueueFull: number;
  readonly droppedExpired: number;
  readonly droppedTooLarge: number;
  /** Lost with a connection that ended over a failure of the broker while they were sent. */
  readonly droppedFailed: number;
  readonly droppedUnauthorized: number;
  readonly willsPublished: number;
  readonly subscriptionsRefused: number;
  /** Connections ended because the client broke the protocol. */
  readonly protocolErrors: number;
  readonly keepAliveTimeouts: number;
  /** Hooks and listeners that threw, stayed silent, or returned what is no answer. */
  readonly hookFailures: number;
  /** Failures of the broker itself; each ended one connection at most. */
  readonly internalFailures: number;
  readonly storeFailures: number;
}

type Counters = { -readonly [Name in keyof BrokerMetrics]: number };

/** The counters themselves; whoever causes an event counts it. */
export class MetricsRecorder implements Counters {
  startedAtMs = 0;
  uptimeMs = 0;
  connections = 0;
  connectionsTotal = 0;
  connectionsRefused = 0;
  connectionsEvicted = 0;
  clients = 0;
  clientsMaximum = 0;
  sessions = 0;
  sessionsExpired = 0;
  takeovers = 0;
  subscriptions = 0;
  sharedGroups = 0;
  bytesReceived = 0;
  bytesSent = 0;
  publishReceived = 0;
  publishBytesReceived = 0;
  publishSent = 0;
  publishBytesSent = 0;
  publishRefused = 0;
  retained = 0;
  retainedBytes = 0;
  retainedRefused = 0;
  queued = 0;
  queuedBytes = 0;
  memoryBytes = 0;
  memoryLevel = 0;
  droppedMemory = 0;
  connectionsClosedMemory = 0;
  droppedQoS0 = 0;
  droppedQueueFull = 0;
  droppedExpired = 0;
  droppedTooLarge = 0;
  droppedFailed = 0;
  droppedUnauthorized = 0;
  willsPublished = 0;
  subscriptionsRefused = 0;
  protocolErrors = 0;
  keepAliveTimeouts = 0;
  hookFailures = 0;
  internalFailures = 0;
  storeFailures = 0;

  snapshot(): BrokerMetrics {
    return { ...this };
  }
}
