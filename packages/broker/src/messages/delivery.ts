import type { Properties, ProtocolVersion, QoS } from "@tidewire/codec";
import type { OutgoingMessage, Publication, QueueEntry } from "../storage/index.ts";
import { outgoingProperties } from "./publication.ts";

/** What a delivery needs to know of the session it goes to, whenever it is sent. */
export interface DeliveryReceiver {
  /** Of the present connection. */
  readonly version: ProtocolVersion;
  /** Of sequences, as in `StoredSession`. */
  readonly maybeSentBelow: number | undefined;
  /** Wall-clock time. */
  nowMs(): number;
}

/** One publication on its way to one session: queue entry and outgoing message in one object. */
export class Delivery implements QueueEntry, OutgoingMessage {
  readonly receiver: DeliveryReceiver;
  readonly sequence: number;
  readonly publication: Publication;
  readonly qos: QoS;
  readonly retain: boolean;
  readonly subscriptionIdentifiers: readonly number[] | undefined;
  readonly sharedFilter: string | undefined;
  /** Members of its shared subscription that may not have it. */
  refusedBy: readonly object[] | undefined = undefined;
  /** What `authorizeDelivery` said, once it has. */
  allowed: boolean | undefined = undefined;

  constructor(
    receiver: DeliveryReceiver,
    sequence: number,
    publication: Publication,
    qos: QoS,
    retain: boolean,
    subscriptionIdentifiers: readonly number[] | undefined,
    sharedFilter: string | undefined,
  ) {
    this.receiver = receiver;
    this.sequence = sequence;
    this.publication = publication;
    this.qos = qos;
    this.retain = retain;
    this.subscriptionIdentifiers = subscriptionIdentifiers;
    this.sharedFilter = sharedFilter;
  }

  /** A store's own object in this form. */
  static from(entry: QueueEntry, receiver: DeliveryReceiver): Delivery {
    if (entry instanceof Delivery && entry.receiver === receiver) {
      return entry;
    }
    const { sequence, publication, qos, retain, subscriptionIdentifiers, sharedFilter } = entry;
    return new Delivery(receiver, sequence, publication, qos, retain, subscriptionIdentifiers, sharedFilter);
  }

  get entry(): QueueEntry {
    return this;
  }

  get topic(): string {
    return this.publication.topic;
  }

  get payload(): Uint8Array {
    return this.publication.payload;
  }

  /** QoS 2 never leaves before the store knows of it. */
  get maybeSent(): boolean {
    return this.qos === 1 && this.sequence < (this.receiver.maybeSentBelow ?? 0);
  }

  /** As they are now: waiting shortens the Message Expiry Interval, and 3.x has no properties. */
  get properties(): Properties | undefined {
    return this.receiver.version === 5
      ? outgoingProperties(this.publication, this.subscriptionIdentifiers, this.receiver.nowMs())
      : undefined;
  }
}

/** What a receiver gets: no more than was published, and no more than was granted. */
export function grantedQoS(published: QoS, granted: QoS): QoS {
  return Math.min(published, granted) as QoS;
}
