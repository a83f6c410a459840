import type { ConnectPacket, DisconnectPacket, Properties } from "@tidewire/codec";
import { NORMAL_DISCONNECTION, QUOTA_EXCEEDED, SESSION_TAKEN_OVER } from "@tidewire/codec/codes";
import { BrokerSession } from "./broker-session.ts";
import type { ClientConnection } from "./client-connection.ts";
import type { BrokerContext } from "./context.ts";
import { RateLimit } from "./rate-limit.ts";
import type { LoadedSession, LoadedState } from "./store.ts";
import { publishWill } from "./will.ts";

/** All sessions by client identifier: how they begin, change hands, wait and end. */
export class SessionRegistry {
  readonly #context: BrokerContext;
  readonly #sessions = new Map<string, BrokerSession>();
  readonly #connectRate: RateLimit;

  constructor(context: BrokerContext) {
    this.#context = context;
    this.#connectRate = new RateLimit(context.limits.connectsPerSecond);
  }

  get size(): number {
    return this.#sessions.size;
  }

  get(clientId: string): BrokerSession | undefined {
    return this.#sessions.get(clientId);
  }

  /** Takes one from what may connect this second. */
  mayConnect(): boolean {
    return this.#connectRate.take(this.#context.loop.now);
  }

  /** What a store kept; its owners were connected, or away, when the last broker ended. */
  load(sessions: LoadedState["sessions"]): void {
    for (const loaded of sessions) {
      const session = new BrokerSession(this.#context, loaded, loaded);
      this.#add(session);
      for (const subscription of loaded.subscriptions) {
        session.restore(subscription);
      }
      this.#resumeWaiting(session, loaded);
    }
  }

  /** An authenticated client gets its session, old or new, and its CONNACK. */
  connect(
    connection: ClientConnection,
    packet: ConnectPacket,
    clientId: string,
    username: string | undefined,
    properties: Properties,
  ): void {
    const { hooks, events, loop, metrics } = this.#context;
    const previous = this.#takeOver(clientId, packet.cleanStart);
    if (previous === undefined && this.#sessions.size >= this.#context.limits.sessions) {
      metrics.connectionsRefused += 1;
      connection.protocol.reject(QUOTA_EXCEEDED, loop.now);
      return;
    }
    const sessionExpiryInterval = this.#grantedExpiry(packet);
    const { version } = packet;
    const session =
      previous ?? new BrokerSession(this.#context, { clientId, version, sessionExpiryInterval, username });
    if (previous === undefined) {
      this.#add(session);
    }
    session.expirySeconds = sessionExpiryInterval;
    session.will = packet.will;
    session.willAtMs = undefined;
    connection.client = { clientId, version, username, connection: connection.transport.info };
    connection.brokerSession = session;
    session.attach(connection);
    session.save();
    metrics.clients += 1;
    metrics.clientsMaximum = Math.max(metrics.clientsMaximum, metrics.clients);
    const sessionPresent = previous !== undefined;
    connection.protocol.accept({ inflight: session.inflight, sessionPresent, properties }, loop.now);
    connection.ready();
    this.#context.notify("onConnected", () => hooks.onConnected?.(connection.client!, sessionPresent));
    events.emit("clientConnected", { client: connection.client, sessionPresent });
    session.drain();
  }

  /** A DISCONNECT of the client: only reason 0 withdraws the will [MQTT-3.1.2-8]. */
  clientDisconnects(session: BrokerSession, packet: DisconnectPacket): void {
    if (packet.reasonCode === NORMAL_DISCONNECTION) {
      session.will = undefined;
    }
    const expiry = packet.properties?.sessionExpiryInterval;
    if (expiry !== undefined) {
      session.expirySeconds = Math.min(expiry, this.#context.limits.sessionExpirySeconds);
    }
  }

  /** However it ended: the will is due, now or later, and the session's time begins to run. */
  connectionEnded(connection: ClientConnection, session: BrokerSession, reasonCode: number): void {
    if (session.connection !== connection) {
      return;
    }
    const { hooks, events, metrics } = this.#context;
    metrics.clients -= 1;
    session.detach();
    if (session.will !== undefined) {
      const delaySeconds = session.will.properties?.willDelayInterval ?? 0;
      this.#scheduleWill(session, Math.min(delaySeconds, session.expirySeconds) * 1000);
    }
    if (session.persistent) {
      session.save();
      this.#scheduleExpiry(session, session.expirySeconds * 1000);
    } else {
      this.#end(session);
    }
    this.#context.notify("onDisconnected", () => hooks.onDisconnected?.(connection.client!, reasonCode));
    events.emit("clientDisconnected", { client: connection.client!, reasonCode });
  }

  /** Another node has it now. */
  release(clientId: string): void {
    const session = this.#sessions.get(clientId);
    session?.connection?.disconnect(SESSION_TAKEN_OVER);
    if (session !== undefined && !session.ended) {
      session.will = undefined;
      this.#end(session);
    }
  }

  /** Ends what is there for this client id, or hands it over: undefined when there is nothing to go on with. */
  #takeOver(clientId: string, cleanStart: boolean): BrokerSession | undefined {
    const before = this.#sessions.get(clientId);
    if (before?.connection !== undefined) {
      this.#context.metrics.takeovers += 1;
      before.connection.disconnect(SESSION_TAKEN_OVER);
    }
    const session = this.#sessions.get(clientId);
    if (session === undefined) {
      return undefined;
    }
    if (cleanStart) {
      this.#end(session);
      return undefined;
    }
    // Back in time: the will does not happen [MQTT-3.1.3-9].
    this.#cancelDeadlines(session);
    return session;
  }

  #add(session: BrokerSession): void {
    this.#sessions.set(session.clientId, session);
    this.#context.metrics.sessions = this.#sessions.size;
  }

  #end(session: BrokerSession): void {
    this.#cancelDeadlines(session);
    // At the latest when the session ends [MQTT-3.1.2-8].
    this.#publishWill(session);
    session.end();
    this.#sessions.delete(session.clientId);
    this.#context.metrics.sessions = this.#sessions.size;
    this.#context.cluster.ended(session.clientId);
    this.#context.events.emit("sessionEnded", { clientId: session.clientId });
  }

  #scheduleWill(session: BrokerSession, delayMs: number): void {
    if (delayMs <= 0) {
      this.#publishWill(session);
      return;
    }
    session.willAtMs = session.nowMs() + delayMs;
    session.willDeadline = this.#context.deadlines.after(delayMs, () => {
      this.#publishWill(session);
      session.save();
    });
  }

  #publishWill(session: BrokerSession): void {
    const { will } = session;
    session.will = undefined;
    session.willAtMs = undefined;
    if (will !== undefined) {
      publishWill(this.#context, session, will);
    }
  }

  #scheduleExpiry(session: BrokerSession, delayMs: number): void {
    session.expiry = this.#context.deadlines.after(delayMs, () => {
      this.#context.metrics.sessionsExpired += 1;
      this.#end(session);
    });
  }

  #cancelDeadlines(session: BrokerSession): void {
    if (session.willDeadline !== undefined) {
      this.#context.deadlines.cancel(session.willDeadline);
      session.willDeadline = undefined;
    }
    if (session.expiry !== undefined) {
      this.#context.deadlines.cancel(session.expiry);
      session.expiry = undefined;
    }
  }

  /** After a restart: waiting goes on from when it began; who was connected lost the connection with the broker. */
  #resumeWaiting(session: BrokerSession, loaded: LoadedSession): void {
    const nowMs = session.nowMs();
    // A clock that was set back must not make anyone wait longer than ever agreed.
    const awayMs = Math.max(0, nowMs - (loaded.disconnectedAtMs ?? nowMs));
    session.disconnectedAtMs = nowMs - awayMs;
    session.will = loaded.will;
    if (loaded.will !== undefined) {
      const delayMs = Math.min(loaded.will.properties?.willDelayInterval ?? 0, session.expirySeconds) * 1000;
      this.#scheduleWill(session, delayMs - awayMs);
    }
    const remainingMs = session.expirySeconds * 1000 - awayMs;
    if (remainingMs <= 0) {
      this.#end(session);
    } else {
      session.save();
      this.#scheduleExpiry(session, remainingMs);
    }
  }

  #grantedExpiry(packet: ConnectPacket): number {
    const limit = this.#context.limits.sessionExpirySeconds;
    if (packet.version !== 5) {
      return packet.cleanStart ? 0 : limit;
    }
    return Math.min(packet.properties?.sessionExpiryInterval ?? 0, limit);
  }
}
