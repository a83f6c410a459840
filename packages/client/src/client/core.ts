import type { ProtocolVersion } from "@tidewire/codec";
import type { Link, Scheduler } from "@tidewire/link";
import type { ClientProtocol, Inflight } from "@tidewire/session";
import type { Calls } from "../calls/index.ts";
import type { ClientError } from "../errors/index.ts";
import type { ConnectOptions } from "../handshake/index.ts";
import type { ClientLimits } from "../limits.ts";

/** What the parts of a client share. */
export interface Core {
  readonly options: ConnectOptions;
  readonly limits: ClientLimits;
  /** 5 until a server turns out to speak 3.1.1 alone, unless the caller says. */
  version: ProtocolVersion;
  readonly inflight: Inflight;
  readonly scheduler: Scheduler;
  /** Those that wait for an answer from the server. */
  readonly calls: Calls;
  /** The connection in force, from CONNACK to its end. */
  link: Link<ClientProtocol> | undefined;
  /** For what no call can tell its caller. */
  readonly report: (error: ClientError) => void;
  /** Wall-clock milliseconds since 1970. */
  readonly wallNow: () => number;
  /** To be called when something has begun, or ceased, to wait or to be in flight. */
  readonly changed: () => void;
  /** Ends the client for good. */
  readonly fail: (error: ClientError) => void;
  /** To be called when something was staged in the store outside a connection's turn. */
  readonly staged: () => void;
}
