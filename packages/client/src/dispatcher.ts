import type { PublishPacket } from "@tidewire/codec";
import type { Link } from "@tidewire/link";
import type { ClientSession } from "@tidewire/session";
import type { FilterIndex } from "./filter-index.ts";
import { ReceivedMessage } from "./received-message.ts";
import type { FilterEntry } from "./subscriber.ts";
import type { Consumer } from "./subscription.ts";

export interface DispatcherOptions {
  readonly index: FilterIndex<FilterEntry>;
  /** Every message, before its consumers. */
  readonly onMessage: (message: ReceivedMessage) => void;
  /** It is for no consumer; whoever takes it has to let it go. */
  readonly onUnclaimed: (message: ReceivedMessage) => void;
}

/** Brings each message to the consumers that it is for, once. */
export class Dispatcher {
  readonly #options: DispatcherOptions;
  /** QoS 1 and 2 messages without their acknowledgement, by packet id: the server sends them again after a reconnect. */
  readonly #unacknowledged = new Map<number, ReceivedMessage>();

  constructor(options: DispatcherOptions) {
    this.#options = options;
  }

  receive(packet: PublishPacket, link: Link<ClientSession>): void {
    const { packetId, dup } = packet;
    const earlier = dup ? this.#unacknowledged.get(packetId) : undefined;
    if (earlier !== undefined && earlier.topic === packet.topic) {
      // A consumer here has the message already; only where to acknowledge it has changed.
      earlier.moveTo(link);
      return;
    }
    const message = new ReceivedMessage(packet, link, this.#onAcknowledged);
    if (packetId !== 0) this.#unacknowledged.set(packetId, message);
    this.#options.onMessage(message);
    const consumers = this.consumersOf(message);
    if (consumers.length === 0) {
      this.#options.onUnclaimed(message);
      return;
    }
    // Held while it is handed round, so that a fast consumer does not acknowledge it for a slow one.
    message.hold(false);
    for (const consumer of consumers) consumer.deliver(message);
    message.release();
  }

  consumersOf(message: ReceivedMessage): readonly Consumer[] {
    const entries = this.#options.index.match(message.topic);
    const identifiers = message.properties?.subscriptionIdentifiers;
    // By far the commonest case; with one candidate identifiers decide nothing.
    if (entries.length === 1) return entries[0]!.consumers;
    // The server says which subscriptions this copy is for [MQTT-3.3.4-3]; the copy of another comes by itself.
    const meant = entries.filter((entry) => identifiers?.includes(entry.identifier) ?? true);
    // Identifiers from before this client, of a session that somebody else began, say nothing.
    return [...new Set((meant.length > 0 ? meant : entries).flatMap((entry) => entry.consumers))];
  }

  /** The server forgot the session: what it sends from now on is new. */
  forget(): void {
    this.#unacknowledged.clear();
  }

  readonly #onAcknowledged = (message: ReceivedMessage): void => {
    if (this.#unacknowledged.get(message.packetId) === message) this.#unacknowledged.delete(message.packetId);
  };
}
