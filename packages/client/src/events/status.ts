import type { ClientError } from "../errors/index.ts";

/**
 * `connecting` until the first CONNACK, `connected`, `reconnecting` after a connection was lost, `closed` for good:
 * after `close()` or a refusal that trying again cannot cure.
 */
export type Status = "connecting" | "connected" | "reconnecting" | "closed";

/** What is known about a change of status. */
export interface StatusDetail {
  /** Why the connection was lost or the attempt failed; why the client closed, when not by `close()`. */
  readonly error?: ClientError;
  /** With `connected`: the server still had the session. */
  readonly sessionPresent?: boolean;
  /** With `connecting` and `reconnecting`: attempts since the last connection that was stable. */
  readonly attempt?: number;
  /** With `connecting` and `reconnecting`: when the next attempt starts, in milliseconds from now. */
  readonly retryInMs?: number;
}
