export { Deque } from "./deque.ts";
export { FailureLog } from "./failure-log.ts";
export { memoryStore } from "./memory-store.ts";
export { Storage } from "./storage.ts";
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
} from "./store.ts";
