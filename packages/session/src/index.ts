export { createClientSession } from "./client-session.ts";
export { type ClientRequest, clientStates } from "./client-states.ts";
export { enhancedAuthentication } from "./enhanced-authentication.ts";
export { SessionError, type SessionErrorKind, type Violation } from "./errors.ts";
export { createInflight } from "./inflight.ts";
export type {
  AcceptOptions,
  AuthenticatedSession,
  Authenticator,
  ClientSession,
  ClientSessionHandler,
  ClientSessionOptions,
  ClientState,
  EnhancedAuthentication,
  Inflight,
  InflightStore,
  Message,
  OutgoingPublish,
  PeerLimits,
  PublishWriter,
  SavedInflight,
  ServerSession,
  ServerSessionHandler,
  ServerSessionOptions,
  ServerState,
  Session,
  SessionEnd,
  SessionHandler,
  SessionLimits,
  SessionOptions,
  SessionRequests,
  TopicAliases,
} from "./interfaces.ts";
export { type MemoryInflightStore, memoryInflightStore } from "./memory-inflight-store.ts";
export { reasonCodeFor, returnCodeFor } from "./return-codes.ts";
export { createServerSession } from "./server-session.ts";
export { type ServerRequest, serverStates } from "./server-states.ts";
export { createStoredInflight } from "./stored-inflight.ts";
export { outgoingTopicAliases } from "./topic-aliases.ts";
export type { Transitions, TransitionTable } from "./transitions.ts";
export * as violations from "./violations.ts";
