import type { ConnackPacket, ConnectPacket, Properties } from "@tidewire/codec";
import type { Scheduler } from "@tidewire/link";
import type { Connection } from "@tidewire/transport";
import { BackOff } from "./back-off.ts";
import { ClientError } from "./errors.ts";
import type { StatusDetail } from "./interfaces.ts";
import type { ReconnectOptions, Target } from "./options.ts";
import { isFatal } from "./refusals.ts";
import { dialTarget, redirected } from "./target.ts";

/** One connection as the connector sees it. */
export interface Attempt {
  /** CONNACK came and accepts. */
  readonly onConnack: () => void;
  /** The connection is over. `properties` are those of the server's DISCONNECT or refusing CONNACK. */
  readonly onEnd: (error: ClientError, properties: Properties | undefined) => void;
}

export interface ConnectorOptions {
  readonly target: Target;
  readonly scheduler: Scheduler;
  readonly reconnect: ReconnectOptions | false;
  readonly redirect: ((serverReference: string) => Target | undefined) | undefined;
  readonly redirects: number;
  readonly connectTimeoutMs: number;
  /** Asks for what CONNECT needs, credentials among it, anew for each attempt. */
  readonly connectPacket: () => Promise<ConnectPacket>;
  /** Starts MQTT on a connection; returns what cuts it. */
  readonly open: (connection: Connection, connect: ConnectPacket, attempt: Attempt) => (error: ClientError) => void;
  /** A connection ended or an attempt failed; another follows. */
  readonly onRetry: (detail: StatusDetail) => void;
  /** No further attempt is made. */
  readonly onGiveUp: (error: ClientError) => void;
}

/** Makes connections, one after the other, for as long as that makes sense. */
export class Connector {
  readonly #options: ConnectorOptions;
  readonly #backOff: BackOff;
  #target: Target;
  /** Of one attempt only: Use another server (0x9C). */
  #detour: Target | undefined;
  #redirects = 0;
  #stop: AbortController | undefined;
  #wake: (() => void) | undefined;

  constructor(options: ConnectorOptions) {
    this.#options = options;
    this.#target = options.target;
    this.#backOff = new BackOff(options.reconnect === false ? {} : options.reconnect);
  }

  /** Ends what is going on, without another attempt. */
  stop(error: ClientError): void {
    this.#stop?.abort(error);
    this.#wake?.();
  }

  /** Tries now instead of after the wait, if it is waiting. */
  hurry(): void {
    this.#wake?.();
  }

  async run(): Promise<void> {
    const { reconnect } = this.#options;
    const stop = new AbortController();
    this.#stop = stop;
    for (;;) {
      const outcome = await this.#attempt(stop.signal);
      if (stop.signal.aborted) return;
      const { error } = outcome;
      const detour = this.#redirect(outcome);
      const last = reconnect === false || this.#backOff.attempts >= (reconnect.maxAttempts ?? Number.POSITIVE_INFINITY);
      const fatal = reconnect !== false && reconnect.isFatal !== undefined ? reconnect.isFatal(error) : isFatal(error);
      if (!detour && (last || fatal || error.code === "invalid-argument")) return this.#options.onGiveUp(error);
      const retryInMs = detour ? 0 : this.#backOff.next();
      this.#options.onRetry({ error, attempt: this.#backOff.attempts, retryInMs });
      await this.#wait(retryInMs);
      if (stop.signal.aborted) return;
    }
  }

  /** One connection from dialling to its end, which is what it resolves with. */
  async #attempt(stop: AbortSignal): Promise<Outcome> {
    const { scheduler, connectTimeoutMs } = this.#options;
    const target = this.#detour ?? this.#target;
    this.#detour = undefined;
    const cut = new AbortController();
    const onStop = () => cut.abort(stop.reason);
    stop.addEventListener("abort", onStop, { once: true });
    const timer = scheduler.setTimer(
      () => cut.abort(new ClientError("timeout", `No connection within ${connectTimeoutMs} ms.`)),
      connectTimeoutMs,
    );
    try {
      const connect = await unlessAborted(this.#options.connectPacket(), cut.signal);
      const dialling = dialTarget(target, { signal: cut.signal });
      // A dial that ignores its signal may still succeed, after nobody waits for it.
      dialling.then((late) => cut.signal.aborted && late.abort(), nothing);
      const connection = await unlessAborted(dialling, cut.signal);
      return await this.#session(connection, connect, cut.signal, () => scheduler.clearTimer(timer));
    } catch (cause) {
      return { error: attemptError(cause) };
    } finally {
      scheduler.clearTimer(timer);
      stop.removeEventListener("abort", onStop);
    }
  }

  #session(connection: Connection, connect: ConnectPacket, cut: AbortSignal, onConnack: () => void): Promise<Outcome> {
    const { scheduler } = this.#options;
    return new Promise((resolve) => {
      let since: number | undefined;
      let over = false;
      const abort = this.#options.open(connection, connect, {
        onConnack: () => {
          since = scheduler.now();
          this.#redirects = 0;
          onConnack();
        },
        onEnd: (error, properties) => {
          over = true;
          if (since !== undefined) this.#backOff.ended(scheduler.now() - since);
          resolve({ error: cut.aborted ? attemptError(cut.reason) : error, properties });
        },
      });
      // When it is over, DISCONNECT may still be on its way out.
      cut.addEventListener("abort", () => over || abort(attemptError(cut.reason)), { once: true });
    });
  }

  /** Follows a Server Reference. True: the next attempt goes there at once. */
  #redirect({ error, properties }: Outcome): boolean {
    const reference = properties?.serverReference;
    const moved = error.reasonCode === 0x9d;
    if (reference === undefined || !(moved || error.reasonCode === 0x9c)) return false;
    if (++this.#redirects > this.#options.redirects) return false;
    const { redirect } = this.#options;
    const target = redirect === undefined ? redirected(this.#target, reference) : redirect(reference);
    if (target === undefined) return false;
    if (moved) this.#target = target;
    else this.#detour = target;
    return true;
  }

  #wait(delayMs: number): Promise<void> {
    const { scheduler } = this.#options;
    return new Promise((resolve) => {
      const wake = () => {
        scheduler.clearTimer(timer);
        this.#wake = undefined;
        resolve();
      };
      const timer = scheduler.setTimer(wake, delayMs);
      // The timers of Node's scheduler leave it to connections to keep the process alive; there is none now.
      (timer as { readonly ref?: () => void } | undefined)?.ref?.();
      this.#wake = wake;
    });
  }
}

interface Outcome {
  readonly error: ClientError;
  readonly properties?: ConnackPacket["properties"];
}

/** The promise, or the signal's reason as soon as it fires. */
function unlessAborted<Value>(promise: Promise<Value>, signal: AbortSignal): Promise<Value> {
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason);
    if (signal.aborted) onAbort();
    signal.addEventListener("abort", onAbort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", onAbort));
  });
}

function attemptError(cause: unknown): ClientError {
  if (cause instanceof ClientError) return cause;
  return new ClientError("connection-lost", "The connection could not be made.", { cause });
}

function nothing(): void {}
