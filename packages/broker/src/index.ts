export { type Broker, type BrokerOptions, type CloseOptions, createBroker, type PublishOptions } from "./broker.ts";
export { type ClusterBackend, type ClusterHost, local } from "./cluster/index.ts";
export type {
  AuthenticateAccepted,
  AuthenticateResult,
  AuthenticationAnswer,
  AuthenticationStep,
  BrokerEvents,
  BrokerHooks,
  ClientInfo,
  ConnectRequest,
  MaybePromise,
  Refusal,
  SubscribeVerdict,
  Verdict,
} from "./hooks/index.ts";
export { type BrokerLimits, DEFAULT_LIMITS, type QueuePolicy } from "./limits.ts";
export type { BrokerLogger } from "./logger.ts";
export type { BrokerMetrics } from "./metrics/index.ts";
export type { LocalMessageHandler, LocalSubscription } from "./publishing/index.ts";
export type {
  BrokerStore,
  LoadedSession,
  LoadedState,
  LoadedTime,
  OutgoingMessage,
  Publication,
  QueueEntry,
  StoredSession,
  StoredSubscription,
  StoreFailure,
} from "./storage/index.ts";
export { memoryStore } from "./storage/index.ts";
