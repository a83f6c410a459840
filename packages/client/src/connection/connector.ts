import type { ConnectPacket, Properties } from "@tidewire/codec";
import { PACKET_TOO_LARGE } from "@tidewire/codec/codes";
import type { Scheduler } from "@tidewire/link";
import type { Connection } from "@tidewire/transport";
import { ClientError, invalidArgument } from "../errors/index.ts";
import type { StatusDetail } from "../events/index.ts";
import {
  allowedInConnect,
  BackOff,
  type ConnectOptions,
  checkConnect,
  isFatal,
  type Target,
} from "../handshake/index.ts";
import { type ClientLimits, defaultConnectTimeoutMs } from "../limits.ts";
import { dialTarget, redirected } from "./target.ts";

/** What the connector needs of the client around it. */
export interface ConnectorHost {
  readonly options: ConnectOptions;
  readonly limits: Pick<ClientLimits, "redirects" | "endsAtOneThing" | "maximumPacketSize">;
  readonly scheduler: Scheduler;
  /** Asks for what CONNECT needs, credentials among it, anew for each attempt. */
  connectPacket(): Promise<ConnectPacket>;
  /** Starts MQTT on a connection; returns what cuts it. */
  open(connection: Connection, connect: ConnectPacket, attempt: Attempt): (error: ClientError) => void;
  /** True when the server speaks another version of MQTT, and the next attempt is to be made in that. */
  otherVersion(error: ClientError): boolean;
  /** A connection ended or an attempt failed; another follows. */
  onRetry(detail: StatusDetail): void;
}

/** One connection as the connector sees it. */
export interface Attempt {
  /** CONNACK came and accepts. */
  onConnack(): void;
  /** The connection is over. `properties` are those of the server's DISCONNECT or refusing CONNACK. */
  onEnd(error: ClientError, properties: Properties | undefined): void;
}

interface Outcome {
  readonly error: ClientError;
  readonly properties?: Properties | undefined;
}

/** Makes connections, one after the other, for as long as that makes sense. */
export class Connector {
  readonly #host: ConnectorHost;
  readonly #backOff: BackOff;
  #target: Target;
  /** Of one attempt only: Use another server (0x9C). */
  #detour: Target | undefined;
  #redirects = 0;
  /** Connections in a row that ended at a packet above the limit. */
  #tooLarge = 0;
  #stopped = false;
  #atOnce = false;
  /** Ends the attempt that is going on. */
  #cut: (error: ClientError) => void = () => {};
  /** Ends the wait between two attempts. */
  #wake: () => void = () => {};

  constructor(target: Target, host: ConnectorHost) {
    this.#target = target;
    this.#host = host;
    this.#backOff = new BackOff(host.options.reconnect || {});
  }

  /** Ends what is going on, without another attempt. */
  stop(error: ClientError): void {
    this.#stopped = true;
    this.#cut(error);
    this.#wake();
  }

  /** Tries now instead of after the wait, if it is waiting. */
  hurry(): void {
    this.#wake();
  }

  /** Ends what is going on, for another attempt at once. */
  again(error: ClientError): void {
    this.#atOnce = true;
    this.#cut(error);
    this.#wake();
  }

  /** Resolves when it was stopped; rejects with the reason for which no further attempt is made. */
  async run(): Promise<void> {
    const { limits } = this.#host;
    const { reconnect = {} } = this.#host.options;
    const { maxAttempts = reconnect === false ? 0 : Number.POSITIVE_INFINITY, isFatal: fatal = isFatal } =
      reconnect || {};
    while (!this.#stopped) {
      this.#atOnce = false;
      const outcome = await this.#attempt();
      if (this.#stopped) {
        return;
      }
      const { error } = outcome;
      this.#tooLarge =
        error.code === "connection-lost" && error.reasonCode === PACKET_TOO_LARGE ? this.#tooLarge + 1 : 0;
      if (this.#tooLarge >= limits.endsAtOneThing) {
        const text = `The server keeps a message above limits.maximumPacketSize (${limits.maximumPacketSize}): raise it, or begin anew with cleanStart.`;
        throw new ClientError("message-too-large", text, { cause: error });
      }
      const again = this.#atOnce || this.#redirect(outcome) || this.#host.otherVersion(error);
      const last = this.#backOff.attempts >= maxAttempts || error.code === "invalid-argument" || fatal(error);
      if (last && !again) {
        throw error;
      }
      const retryInMs = again ? 0 : this.#backOff.next();
      this.#host.onRetry({ error, attempt: this.#backOff.attempts, retryInMs });
      if (!this.#stopped) {
        await this.#wait(retryInMs);
      }
    }
  }

  /** One connection from dialling to its end, which is what it resolves with. */
  async #attempt(): Promise<Outcome> {
    const { scheduler, options } = this.#host;
    const { connectTimeoutMs = defaultConnectTimeoutMs } = options;
    const target = this.#detour ?? this.#target;
    this.#detour = undefined;
    const controller = new AbortController();
    const { signal } = controller;
    this.#cut = (error) => controller.abort(error);
    const cut = new Promise<never>((_, reject) => {
      signal.addEventListener("abort", () => reject(signal.reason));
    });
    const timer = scheduler.setTimer(
      () =>
        this.#cut(
          new ClientError("timeout", `The server did not accept within ${connectTimeoutMs} ms (connectTimeoutMs).`),
        ),
      connectTimeoutMs,
    );
    try {
      const connect = await Promise.race([this.#host.connectPacket(), cut]);
      checkConnect(connect, allowedInConnect);
      const dialling = dialTarget(target, { signal });
      // A dial that ignores its signal may still succeed, after nobody waits for it.
      dialling.then(
        (late) => signal.aborted && late.abort(),
        () => {},
      );
      const connection = await Promise.race([dialling, cut]);
      if (signal.aborted) {
        connection.abort();
      }
      signal.throwIfAborted();
      return await this.#session(connection, connect, signal, () => scheduler.clearTimer(timer));
    } catch (cause) {
      return { error: attemptError(cause) };
    } finally {
      scheduler.clearTimer(timer);
    }
  }

  #session(connection: Connection, connect: ConnectPacket, cut: AbortSignal, onConnack: () => void): Promise<Outcome> {
    const { scheduler } = this.#host;
    return new Promise((resolve) => {
      let since = Number.POSITIVE_INFINITY;
      let over = false;
      const abort = this.#host.open(connection, connect, {
        onConnack: () => {
          since = scheduler.now();
          this.#redirects = 0;
          onConnack();
        },
        onEnd: (error, properties) => {
          over = true;
          this.#backOff.ended(scheduler.now() - since);
          resolve({ error: cut.aborted ? attemptError(cut.reason) : error, properties });
        },
      });
      // When it is over, DISCONNECT may still be on its way out.
      cut.addEventListener("abort", () => over || abort(attemptError(cut.reason)));
    });
  }

  /** Follows a Server Reference. True: the next attempt goes there at once. */
  #redirect({ error, properties }: Outcome): boolean {
    const reference = properties?.serverReference;
    const moved = error.reasonCode === 0x9d;
    if (reference === undefined || !(moved || error.reasonCode === 0x9c)) {
      return false;
    }
    this.#redirects += 1;
    if (this.#redirects > this.#host.limits.redirects) {
      return false;
    }
    const { redirect } = this.#host.options;
    const target = redirect === undefined ? redirected(this.#target, reference) : redirect(reference);
    if (moved) {
      this.#target = target ?? this.#target;
    } else {
      this.#detour = target;
    }
    return target !== undefined;
  }

  #wait(delayMs: number): Promise<void> {
    const { scheduler } = this.#host;
    return new Promise((resolve) => {
      const timer = scheduler.setTimer(resolve, delayMs);
      this.#wake = () => {
        scheduler.clearTimer(timer);
        resolve();
      };
    });
  }
}

function attemptError(cause: unknown): ClientError {
  if (cause instanceof ClientError) {
    return cause;
  }
  const { code, status } = cause as { readonly code?: unknown; readonly status?: number };
  if (code === "address-invalid") {
    return invalidArgument(cause);
  }
  if (status !== undefined) {
    const text = `The server refused the WebSocket with HTTP status ${status}: check path and credentials.`;
    return new ClientError("refused", text, { cause, httpStatus: status });
  }
  return new ClientError("connection-lost", "The connection could not be made; `cause` says why.", { cause });
}
