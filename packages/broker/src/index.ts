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
