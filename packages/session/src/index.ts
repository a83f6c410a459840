export { createClientProtocol } from "./client-protocol.ts";
export { type ClientRequest, clientStates } from "./client-states.ts";
export { enhancedAuthentication } from "./enhanced-authentication.ts";
export { SessionError, type SessionErrorKind, type Violation } from "./errors.ts";
export { createInflight } from "./inflight.ts";
export type {
  AcceptOptions,
  AuthenticatedSession,
  Authenticator,
  ClientProtocol,
  ClientProtocolHandler,
  ClientProtocolOptions,
  ClientState,
  EnhancedAuthentication,
  Inflight,
  InflightStore,
  Message,
  OutgoingPublish,
  PeerLimits,
  Protocol,
  ProtocolEnd,
  ProtocolHandler,
  ProtocolOptions,
  ProtocolRequests,
  PublishWriter,
  SavedInflight,
  ServerProtocol,
  ServerProtocolHandler,
  ServerProtocolOptions,
  ServerState,
  SessionLimits,
  TopicAliases,
} from "./interfaces.ts";
export { type MemoryInflightStore, memoryInflightStore } from "./memory-inflight-store.ts";
export { createServerProtocol } from "./server-protocol.ts";
export { type ServerRequest, serverStates } from "./server-states.ts";
export { createStoredInflight } from "./stored-inflight.ts";
export { outgoingTopicAliases } from "./topic-aliases.ts";
export type { Transitions, TransitionTable } from "./transitions.ts";
export * as violations from "./violations.ts";
