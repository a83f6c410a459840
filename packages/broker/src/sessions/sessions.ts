import type { ConnectPacket, DisconnectPacket, Will } from "@tidewire/codec";
import {
  ADMINISTRATIVE_ACTION,
  CLIENT_IDENTIFIER_NOT_VALID,
  NORMAL_DISCONNECTION,
  QUOTA_EXCEEDED,
  SESSION_TAKEN_OVER,
} from "@tidewire/codec/codes";
import type { ClusterBackend } from "../cluster/index.ts";
import type { Authority, ClientInfo, EventHub } from "../hooks/index.ts";
import { publishWill, type WillNeeds } from "../publishing/index.ts";
import type { LoadedSession, LoadedState } from "../storage/index.ts";
import type { Deadlines } from "../time/index.ts";
import { Session, type SessionNeeds } from "./session.ts";
import type { SessionConnection } from "./session-connection.ts";

/** What the sessions need of their broker. */
export interface SessionsNeeds extends SessionNeeds, WillNeeds {
  readonly authority: Pick<
    Authority,
    | "authenticates"
    | "deliver"
    | "deliverRetained"
    | "disconnected"
    | "judgesDeliveries"
    | "judgesPublishers"
    | "knowsUser"
    | "publish"
  >;
  readonly cluster: Pick<ClusterBackend, "ended">;
  readonly deadlines: Pick<Deadlines, "after" | "cancel">;
  readonly events: Pick<EventHub, "emit">;
  /** Whether a session belongs to the user who began it. */
  readonly sessionsHaveOwners: boolean;
}

/** A session for a client that has just come. */
export interface OpenedSession {
  readonly session: Session;
  /** It was there before. */
  readonly sessionPresent: boolean;
}

/** All sessions by client identifier: how they begin, change hands, wait and end. */
export class Sessions {
  readonly #needs: SessionsNeeds;
  readonly #sessions = new Map<string, Session>();
  /** How many sessions each user has; those without a name share one place. */
  readonly #perUser = new Map<string | undefined, number>();

  constructor(needs: SessionsNeeds) {
    this.#needs = needs;
  }

  get size(): number {
    return this.#sessions.size;
  }

  get(clientId: string): Session | undefined {
    return this.#sessions.get(clientId);
  }

  /** What a store kept; its owners were connected, or away, when the last broker ended. */
  load(sessions: LoadedState["sessions"]): void {
    for (const loaded of sessions) {
      const session = new Session(this.#needs, loaded, loaded);
      this.#add(session);
      for (const subscription of loaded.subscriptions) {
        session.restore(subscription);
      }
      session.restored();
      this.#resumeWaiting(session, loaded);
    }
  }

  /** The session of an authenticated client, old or new; or the reason code why it gets none. */
  open(packet: ConnectPacket, client: ClientInfo): OpenedSession | number {
    const { clientId, version, username } = client;
    const existing = this.#sessions.get(clientId);
    if (existing !== undefined && this.#ownersAreKnown && existing.username !== username) {
      if (this.#needs.authority.knowsUser(existing.username)) {
        return CLIENT_IDENTIFIER_NOT_VALID;
      }
      this.delete(clientId);
    }
    if (!this.#sessions.has(clientId) && !this.#hasRoomFor(username)) {
      return QUOTA_EXCEEDED;
    }
    const previous = this.#takeOver(clientId, packet.cleanStart);
    const sessionExpiryInterval = this.#grantedExpiry(packet);
    const session = previous ?? new Session(this.#needs, { clientId, version, sessionExpiryInterval, username });
    if (previous === undefined) {
      this.#add(session);
    }
    session.expirySeconds = sessionExpiryInterval;
    return { session, sessionPresent: previous !== undefined };
  }

  /** The session has a connection from now on; `connectionEnded` has to follow, whatever happens. */
  connected(session: Session, connection: SessionConnection, client: ClientInfo): void {
    const { metrics } = this.#needs;
    session.attach(connection, client);
    metrics.clients += 1;
    metrics.clientsMaximum = Math.max(metrics.clientsMaximum, metrics.clients);
  }

  /** CONNACK is about to go: from now on the client's will counts, and all of it is kept. */
  accepted(session: Session, will: Will | undefined): void {
    session.will = will;
    session.willAtMs = undefined;
    session.save();
  }

  /** Ends a session and the connection that it may have, as an operator's last word; false when there is none. */
  delete(clientId: string): boolean {
    const session = this.#sessions.get(clientId);
    session?.connection?.disconnect(ADMINISTRATIVE_ACTION, "Its session was deleted.");
    // That may have ended it already.
    if (session !== undefined && !session.ended) {
      this.#end(session);
    }
    return session !== undefined;
  }

  /** A DISCONNECT of the client: only reason 0 withdraws the will [MQTT-3.1.2-8]. */
  clientDisconnects(session: Session, packet: DisconnectPacket): void {
    if (packet.reasonCode === NORMAL_DISCONNECTION) {
      session.will = undefined;
    }
    const expiry = packet.properties?.sessionExpiryInterval;
    if (expiry !== undefined) {
      session.expirySeconds = Math.min(expiry, this.#needs.limits.sessionExpirySeconds);
    }
  }

  /** However it ended: the will is due, now or later, and the session's time begins to run. */
  connectionEnded(connection: SessionConnection, session: Session, reasonCode: number): void {
    if (session.connection !== connection) {
      return;
    }
    const { authority, events, metrics } = this.#needs;
    const { client } = session;
    metrics.clients -= 1;
    session.detach();
    if (session.will !== undefined) {
      const delaySeconds = session.will.properties?.willDelayInterval ?? 0;
      this.#scheduleWill(session, Math.min(delaySeconds, session.expirySeconds) * 1000);
    }
    if (session.outlivesConnection) {
      session.save();
      this.#scheduleExpiry(session, session.expirySeconds * 1000);
    } else {
      this.#end(session);
    }
    authority.disconnected(client, reasonCode);
    events.emit("clientDisconnected", { client, reasonCode });
  }

  /** Another node has it now. */
  release(clientId: string): void {
    const session = this.#sessions.get(clientId);
    session?.connection?.disconnect(SESSION_TAKEN_OVER, "Its session is at another node now.");
    if (session !== undefined && !session.ended) {
      session.will = undefined;
      this.#end(session);
    }
  }

  /** Ends what is there for this client id, or hands it over: undefined when there is nothing to go on with. */
  #takeOver(clientId: string, cleanStart: boolean): Session | undefined {
    const before = this.#sessions.get(clientId);
    if (before?.connection !== undefined) {
      this.#needs.metrics.takeovers += 1;
      before.connection.disconnect(SESSION_TAKEN_OVER, "Another connection came with its client identifier.");
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

  /** Names mean something where clients have to prove them. */
  get #ownersAreKnown(): boolean {
    return this.#needs.authority.authenticates && this.#needs.sessionsHaveOwners;
  }

  #hasRoomFor(username: string | undefined): boolean {
    const { sessions, sessionsPerUser } = this.#needs.limits;
    if (this.#sessions.size >= sessions || this.#needs.memory.refusesSessions) {
      return false;
    }
    return !this.#ownersAreKnown || (this.#perUser.get(username) ?? 0) < sessionsPerUser;
  }

  #countUser({ username }: Session, change: 1 | -1): void {
    const count = (this.#perUser.get(username) ?? 0) + change;
    if (count === 0) {
      this.#perUser.delete(username);
    } else {
      this.#perUser.set(username, count);
    }
  }

  #add(session: Session): void {
    this.#sessions.set(session.clientId, session);
    this.#countUser(session, 1);
    this.#needs.metrics.sessions = this.#sessions.size;
  }

  #end(session: Session): void {
    this.#cancelDeadlines(session);
    // At the latest when the session ends [MQTT-3.1.2-8].
    this.#publishWill(session);
    session.end();
    this.#sessions.delete(session.clientId);
    this.#countUser(session, -1);
    this.#needs.metrics.sessions = this.#sessions.size;
    this.#needs.cluster.ended(session.clientId);
    this.#needs.events.emit("sessionEnded", { clientId: session.clientId });
  }

  #scheduleWill(session: Session, delayMs: number): void {
    if (delayMs <= 0) {
      this.#publishWill(session);
      return;
    }
    session.willAtMs = session.nowMs() + delayMs;
    session.willDeadline = this.#needs.deadlines.after(delayMs, () => {
      this.#publishWill(session);
      session.save();
    });
  }

  #publishWill(session: Session): void {
    const { will } = session;
    session.will = undefined;
    session.willAtMs = undefined;
    if (will !== undefined) {
      publishWill(this.#needs, will, session.client);
    }
  }

  #scheduleExpiry(session: Session, delayMs: number): void {
    session.expiry = this.#needs.deadlines.after(delayMs, () => {
      this.#needs.metrics.sessionsExpired += 1;
      this.#end(session);
    });
  }

  #cancelDeadlines(session: Session): void {
    if (session.willDeadline !== undefined) {
      this.#needs.deadlines.cancel(session.willDeadline);
      session.willDeadline = undefined;
    }
    if (session.expiry !== undefined) {
      this.#needs.deadlines.cancel(session.expiry);
      session.expiry = undefined;
    }
  }

  /** After a restart: waiting goes on from when it began; who was connected lost the connection with the broker. */
  #resumeWaiting(session: Session, loaded: LoadedSession): void {
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
    const limit = this.#needs.limits.sessionExpirySeconds;
    if (packet.version !== 5) {
      return packet.cleanStart ? 0 : limit;
    }
    return Math.min(packet.properties?.sessionExpiryInterval ?? 0, limit);
  }
}
