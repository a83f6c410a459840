export { type Broker, type BrokerOptions, type CloseOptions, createBroker, type PublishOptions } from "./broker.ts";
export { type ClusterBackend, type ClusterHost, local } from "./cluster.ts";
export type { BrokerEvents } from "./events.ts";
export type {
  AuthenticateAccepted,
  AuthenticateResult,
  AuthenticationAnswer,
  AuthenticationStep,
  BrokerHooks,
  ClientInfo,
  ConnectRequest,
  MaybePromise,
  Refusal,
  SubscribeVerdict,
  Verdict,
} from "./hooks.ts";
export { type BrokerLimits, DEFAULT_LIMITS, type QueuePolicy } from "./limits.ts";
export type { LocalMessageHandler, LocalSubscription } from "./local-subscriber.ts";
export type { BrokerLogger } from "./logger.ts";
export { memoryStore } from "./memory-store.ts";
export type { BrokerMetrics } from "./metrics.ts";
export type {
  BrokerStore,
  LoadedSession,
  LoadedState,
  OutgoingMessage,
  Publication,
  QueueEntry,
  StoredSession,
  StoredSubscription,
  StoreFailure,
} from "./store.ts";
