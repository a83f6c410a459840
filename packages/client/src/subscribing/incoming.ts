import type { PublishPacket } from "@tidewire/codec";
import type { Link, Scheduler } from "@tidewire/link";
import type { ClientProtocol } from "@tidewire/session";
import { ClientError } from "../errors/index.ts";
import type { Events } from "../events/index.ts";
import type { ClientLimits } from "../limits.ts";
import type { Consumer } from "./consumer.ts";
import type { FilterEntry } from "./filter-entry.ts";
import type { FilterIndex } from "./filter-index.ts";
import { ReceivedMessage } from "./received-message.ts";

/** What bringing in messages needs of the client around it. */
export interface IncomingHost {
  readonly limits: Pick<ClientLimits, "unclaimedHoldMs" | "receiveMaximum">;
  readonly scheduler: Scheduler;
  /** For what no call can tell its caller. */
  readonly report: (error: ClientError) => void;
}

/**
 * Brings each message to the consumers that it is for, once.
 *
 * A server sends what it had kept for a session before the application has subscribed again, as after a reload. Such
 * messages wait a while, unacknowledged, for a subscription that claims them; there are never more than Receive Maximum.
 */
export class Incoming {
  readonly #host: IncomingHost;
  readonly #events: Events;
  readonly #index: FilterIndex<FilterEntry>;
  /** QoS 1 and 2 messages without their acknowledgement, by packet id: the server sends them again after a reconnect. */
  readonly #unacknowledged = new Map<number, ReceivedMessage>();
  #unclaimed: ReceivedMessage[] = [];
  /** Set while messages may wait to be claimed. */
  #timer: unknown;
  #warned = false;

  constructor(host: IncomingHost, events: Events, index: FilterIndex<FilterEntry>) {
    this.#host = host;
    this.#events = events;
    this.#index = index;
  }

  /** Messages that wait for a subscription. */
  get unclaimed(): readonly ReceivedMessage[] {
    return this.#unclaimed;
  }

  online(sessionPresent: boolean): void {
    const { scheduler, limits } = this.#host;
    if (sessionPresent) {
      // What waits from before goes on waiting.
      scheduler.clearTimer(this.#timer);
      this.#timer = scheduler.setTimer(() => this.#giveUp(), limits.unclaimedHoldMs);
    } else {
      // The server forgot the session: what it sends from now on is new, and it is owed no acknowledgement.
      this.#unacknowledged.clear();
      this.close();
    }
  }

  receive(packet: PublishPacket, link: Link<ClientProtocol>): void {
    const { packetId } = packet;
    const earlier = packet.dup ? this.#unacknowledged.get(packetId) : undefined;
    if (earlier?.topic === packet.topic) {
      // A consumer here has the message already; only where to acknowledge it has changed.
      earlier.moveTo(link);
      return;
    }
    const message = new ReceivedMessage(packet, link, this.#onAcknowledged);
    if (packetId !== 0) {
      this.#unacknowledged.set(packetId, message);
      this.#warn();
    }
    this.#events.emit("message", message);
    // Held while it is handed round, so that a fast consumer does not acknowledge it for a slow one.
    message.hold(false);
    if (this.#deliver(message) || this.#timer === undefined || packetId === 0) {
      message.release();
    } else {
      this.#unclaimed.push(message);
    }
  }

  /** Somebody has subscribed. */
  claim(): void {
    if (this.#unclaimed.length === 0) {
      return;
    }
    const waiting = this.#unclaimed;
    this.#unclaimed = [];
    for (const message of waiting) {
      if (this.#deliver(message)) {
        message.release();
      } else {
        this.#unclaimed.push(message);
      }
    }
  }

  close(): void {
    this.#unclaimed = [];
    this.#host.scheduler.clearTimer(this.#timer);
    this.#timer = undefined;
  }

  /** False when the message is for nobody. */
  #deliver(message: ReceivedMessage): boolean {
    const consumers = this.#consumersOf(message);
    for (const consumer of consumers) {
      consumer.deliver(message);
    }
    return consumers.length > 0;
  }

  #consumersOf({ topic, retain, properties }: ReceivedMessage): readonly Consumer[] {
    const entries = this.#index.match(topic);
    const identifiers = properties?.subscriptionIdentifiers;
    // By far the commonest case; with one candidate identifiers decide nothing.
    if (entries.length === 1) {
      return entries[0]!.receivers(retain, identifiers);
    }
    // The server says which subscriptions this copy is for [MQTT-3.3.4-3]; the copy of another comes by itself.
    const meant = entries.filter((entry) => identifiers?.includes(entry.identifier) ?? true);
    if (meant.length === 0) {
      // Identifiers from before this client, of a session that somebody else began, say nothing.
      return [...new Set(entries.flatMap(({ consumers }) => consumers))];
    }
    const receivers = new Set<Consumer>();
    for (const entry of meant) {
      for (const consumer of entry.receivers(retain, identifiers)) {
        // One who has several of these filters takes the copy that is for the first of them.
        const first = entries.find(({ granted, consumers }) => granted && consumers.includes(consumer));
        if (first === undefined || meant.includes(first)) {
          receivers.add(consumer);
        }
      }
    }
    return [...receivers];
  }

  /** Once: a server that sends more than was announced does no harm, but it breaks a rule [MQTT-3.3.4-9]. */
  #warn(): void {
    const { limits, report } = this.#host;
    if (!this.#warned && this.#unacknowledged.size > limits.receiveMaximum) {
      this.#warned = true;
      const text = `The server sends more unacknowledged messages than limits.receiveMaximum (${limits.receiveMaximum}) allows.`;
      report(new ClientError("receive-maximum-exceeded", text));
    }
  }

  #giveUp(): void {
    const discarded = this.#unclaimed;
    this.close();
    for (const message of discarded) {
      message.release();
    }
    if (discarded.length === 0 || this.#events.has("message")) {
      return;
    }
    const text = `${discarded.length} messages of the resumed session were for no subscription and are discarded: subscribe within limits.unclaimedHoldMs of connecting.`;
    this.#host.report(new ClientError("message-unclaimed", text));
  }

  readonly #onAcknowledged = (message: ReceivedMessage): void => {
    if (this.#unacknowledged.get(message.packetId) === message) {
      this.#unacknowledged.delete(message.packetId);
    }
  };
}
