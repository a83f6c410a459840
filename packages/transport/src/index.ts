export { TransportError, type TransportErrorCode } from "./errors.ts";
export type {
  AbortSignalLike,
  CloseInfo,
  Connection,
  ConnectionHandler,
  ConnectionInfo,
  Dial,
  DialOptions,
  Listen,
  Listener,
} from "./interfaces.ts";
