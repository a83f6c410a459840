import { encodePublish, type Properties, type ProtocolVersion, validateTopicName } from "@tidewire/codec";
import type { Link, Scheduler } from "@tidewire/link";
import type { ClientProtocol, Inflight, Message } from "@tidewire/session";
import { aborted, limitWait, rejected } from "../calls/index.ts";
import { ClientError, callError, hex, invalidArgument, requestError } from "../errors/index.ts";
import { type ClientLimits, defaultQueue } from "../limits.ts";
import { type Payload, toBytes } from "../messages/index.ts";
import type { ClientStore, SavedClient } from "../persistence/index.ts";
import { MessageQueue } from "./message-queue.ts";
import { OutgoingMessage } from "./outgoing-message.ts";
import type { PublishOptions, PublishResult } from "./publish-options.ts";
import type { QueueOptions } from "./queue-options.ts";

/** What publishing needs of the client around it. */
export interface PublisherHost {
  readonly options: {
    readonly offlineQueue?: QueueOptions;
    /** What becomes of messages in flight when the server has lost the session. */
    readonly sessionLost?: "resend" | "reject";
  };
  readonly version: ProtocolVersion;
  readonly limits: Pick<ClientLimits, "inFlightBeforeMqtt5" | "endsAtOneThing">;
  readonly scheduler: Scheduler;
  /** Messages of QoS 1 and 2 without their last acknowledgement, of an earlier life of this client too. */
  readonly inflight: Inflight;
  /** The connection in force. */
  readonly link: Link<ClientProtocol> | undefined;
  /** Wall-clock milliseconds since 1970. */
  readonly wallNow: () => number;
  /** A message has begun, or ceased, to wait or to be in flight. */
  readonly changed: () => void;
  /** For what no call can tell its caller. */
  readonly report: (error: ClientError) => void;
  /** Something was staged in the store outside a connection's turn. */
  readonly staged: () => void;
}

/** What the server has forgotten with the session. */
export type LostMessages = readonly { readonly packetId: number; readonly message: Message }[];

/**
 * The sending side: a message goes out at once when it can, else it waits in the queue for a connection, for the
 * server's Receive Maximum or for room in the socket; always in the order of the calls.
 */
export class Publisher {
  readonly #host: PublisherHost;
  readonly #limits: QueueOptions;
  readonly #queue = new MessageQueue();
  readonly #inFlight = new Map<number, OutgoingMessage>();
  #sequence = 0;
  /** The oldest message that the server had not taken when the last connection ended, and how many in a row it was. */
  #first: Message | undefined;
  #ends = 0;
  /** Messages of which one may be what ends connections. */
  #suspects = 0;
  /** From `load` on. */
  #store: ClientStore | undefined;

  constructor(host: PublisherHost) {
    this.#host = host;
    this.#limits = host.options.offlineQueue ?? {};
  }

  get queued(): number {
    return this.#queue.size;
  }

  /** Sent with QoS 1 or 2 by this client object, and unanswered. */
  get inFlight(): number {
    return this.#inFlight.size;
  }

  publish(topic: string, payload: Payload, options: PublishOptions = {}): Promise<PublishResult> {
    const { qos = 0, retain = false, signal } = options;
    if (signal?.aborted === true) {
      return rejected(callError("publish", topic, aborted(signal)), this.#host.report);
    }
    const properties = this.#host.version === 5 ? options.properties : undefined;
    const seconds = properties?.messageExpiryInterval;
    const expiresAtMs = seconds === undefined ? Number.POSITIVE_INFINITY : this.#host.wallNow() + seconds * 1_000;
    let message: OutgoingMessage;
    try {
      message = new OutgoingMessage({ topic, payload: toBytes(payload), qos, retain, properties }, expiresAtMs);
    } catch (error) {
      return rejected(callError("publish", topic, requestError(error)), this.#host.report);
    }
    const now = this.#queue.size === 0 && this.#canWrite(message);
    // The commonest case, and the fastest: nothing waits, and nobody has to be told later.
    if (now && qos === 0) {
      try {
        this.#write(message);
        return sent;
      } catch (error) {
        return rejected(callError("publish", topic, requestError(error)), this.#host.report);
      }
    }
    const promise = message.await(this.#host.report);
    if (now) {
      this.#send(message);
    } else {
      this.#enqueue(message);
    }
    if (message.awaited) {
      message.endWait = limitWait(options, this.#host.scheduler, (error) => this.#giveUp(message, error));
    }
    return promise;
  }

  /** The store is open: what it held from before comes first, and what was published meanwhile goes into it. */
  load(store: ClientStore, saved: SavedClient): void {
    const waiting = this.#queue.takeAll();
    this.#store = store;
    this.#sequence = 0;
    for (const { sequence, message } of saved.queued) {
      const restored = new OutgoingMessage(message, message.expiresAtMs);
      restored.sequence = sequence;
      this.#sequence = sequence + 1;
      this.#queue.push(restored);
    }
    for (const message of waiting) {
      this.#append(message);
    }
  }

  /** A connection is up. `lost`: in flight before, and forgotten by the server. */
  online(sessionPresent: boolean, lost: LostMessages): void {
    if (!sessionPresent) {
      this.#recover(lost);
    }
    this.pump();
  }

  /** Sends what waits, as far as connection and server take it. */
  pump(): void {
    for (;;) {
      const message = this.#queue.peek();
      if (message === undefined || !this.#canWrite(message)) {
        return;
      }
      this.#dequeue(message);
      const nowMs = this.#host.wallNow();
      if (message.expiresAtMs <= nowMs) {
        message.reject(
          new ClientError("message-expired", "Its Message Expiry Interval passed before it could be sent."),
        );
      } else {
        setRemainingExpiry(message, nowMs);
        this.#send(message);
      }
      this.#host.changed();
    }
  }

  /** How many messages may be in flight: one where it has to be known which of them ends connections. */
  get sendMaximum(): number {
    const { version, limits } = this.#host;
    if (this.#suspects > 0) {
      return 1;
    }
    // MQTT 3.1.1 has no Receive Maximum, and servers that end connections above what they never told.
    return version === 5 ? MAXIMUM_IN_FLIGHT : limits.inFlightBeforeMqtt5;
  }

  /** A connection ended. A server that ends each one at the same message would be sent it for ever. */
  offline(): void {
    const { inflight, limits } = this.#host;
    const unreceived = inflight.unreceived();
    const first = unreceived[0];
    this.#ends = first !== undefined && first.message === this.#first ? this.#ends + 1 : 1;
    this.#first = first?.message;
    if (first === undefined || this.#ends < 2) {
      return;
    }
    if (this.#suspects === 0) {
      this.#suspects = unreceived.length;
      this.#ends = 0;
    } else if (this.#ends >= limits.endsAtOneThing) {
      inflight.withdraw(first.packetId, first.message);
      const message = this.#inFlight.get(first.packetId);
      this.#inFlight.delete(first.packetId);
      this.#suspects -= 1;
      const text = `The server ended ${this.#ends} connections in a row when it was sent: check its size and the rights to its topic.`;
      message?.reject(new ClientError("publish-refused", text));
    }
  }

  settled(packetId: number, reasonCode: number, properties: Properties | undefined): void {
    if (this.#suspects > 0) {
      this.#suspects -= 1;
      this.#host.link!.protocol.sendMaximum = this.sendMaximum;
    }
    const message = this.#inFlight.get(packetId);
    this.#inFlight.delete(packetId);
    if (reasonCode >= 0x80) {
      const text = `The server refused it with reason code ${hex(reasonCode)}.`;
      message?.reject(new ClientError("publish-refused", text, { reasonCode }));
    } else {
      message?.resolve(properties === undefined && reasonCode === 0 ? done : { reasonCode, properties });
    }
    this.#host.changed();
    this.#host.staged();
  }

  /** The client is closed: nobody is left waiting. What a store holds stays there. */
  close(error: ClientError): void {
    const waiting = [...this.#inFlight.values(), ...this.#queue.takeAll()];
    this.#inFlight.clear();
    for (const message of waiting) {
      message.reject(error);
    }
  }

  /** The server lost the session: what it had taken is done, the rest is sent anew or given up. */
  #recover(lost: LostMessages): void {
    const waiting = new Map(this.#inFlight);
    this.#inFlight.clear();
    const again: OutgoingMessage[] = [];
    for (const { packetId, message } of lost) {
      // What was in flight before this client object was made is taken over from the session.
      const own = waiting.get(packetId) ?? new OutgoingMessage(message, Number.POSITIVE_INFINITY);
      waiting.delete(packetId);
      if (this.#host.options.sessionLost !== "reject") {
        again.push(own);
      } else {
        own.reject(
          new ClientError(
            "session-lost",
            "The server lost the session before it had acknowledged the message: publish it again, unless it must not come twice.",
          ),
        );
      }
    }
    // Received by the server (PUBREC came); what was owed to it is forgotten with the session.
    for (const message of waiting.values()) {
      message.resolve(done);
    }
    if (again.length > 0) {
      this.#prepend(again);
    }
  }

  #canWrite(message: OutgoingMessage): boolean {
    const { link } = this.#host;
    return link?.writable === true && (message.qos === 0 || link.protocol.sendQuota > 0);
  }

  #send(message: OutgoingMessage): void {
    try {
      this.#write(message);
      if (message.qos === 0) {
        message.resolve(done);
      }
    } catch (error) {
      message.reject(requestError(error));
    }
  }

  #write(message: OutgoingMessage): void {
    const link = this.#host.link!;
    if (this.#host.version !== 5) {
      // It was queued before the server's version was known.
      message.properties = undefined;
    }
    const packetId = link.protocol.publish(message, link.loop.now);
    link.touch();
    if (packetId === 0) {
      return;
    }
    this.#inFlight.set(packetId, message);
    this.#host.changed();
  }

  #enqueue(message: OutgoingMessage): void {
    try {
      validate(message, this.#host.version);
    } catch (error) {
      message.reject(invalidArgument(error));
      return;
    }
    if (this.#makeRoom(message)) {
      this.#append(message);
    }
  }

  /** Applies the policy; false when the message was dealt with. */
  #makeRoom(message: OutgoingMessage): boolean {
    const {
      maxMessages = defaultQueue.maxMessages,
      maxBytes = defaultQueue.maxBytes,
      policy = defaultQueue.policy,
    } = this.#limits;
    if (policy === "qos-only" && message.qos === 0) {
      message.resolve(dropped);
      return false;
    }
    while (this.#queue.size >= maxMessages || this.#queue.bytes + message.bytes > maxBytes) {
      const oldest = policy === "drop-oldest" ? this.#queue.peek() : undefined;
      if (oldest === undefined) {
        if (policy.startsWith("drop-")) {
          message.resolve(dropped);
        } else {
          message.reject(
            new ClientError(
              "queue-full",
              `${this.#queue.size} messages of ${this.#queue.bytes} bytes wait to be sent: wait for them, or raise offlineQueue.`,
            ),
          );
        }
        return false;
      }
      this.#dequeue(oldest);
      oldest.resolve(dropped);
    }
    return true;
  }

  #append(message: OutgoingMessage): void {
    message.sequence = this.#sequence;
    this.#sequence += 1;
    this.#queue.push(message);
    this.#store?.putQueued(message.sequence, message);
    this.#host.staged();
  }

  /** Before all that waits: it was published earlier. */
  #prepend(messages: readonly OutgoingMessage[]): void {
    const behind = this.#queue.takeAll();
    for (const message of behind) {
      this.#store?.deleteQueued(message.sequence);
    }
    for (const message of [...messages, ...behind]) {
      this.#append(message);
    }
  }

  #dequeue(message: OutgoingMessage): void {
    this.#queue.remove(message);
    this.#store?.deleteQueued(message.sequence);
    this.#host.staged();
  }

  /** Withdrawn when it still waits; once sent, its exchange goes on without the caller. */
  #giveUp(message: OutgoingMessage, error: ClientError): void {
    if (message.queued) {
      this.#dequeue(message);
    }
    message.reject(error);
    this.#host.changed();
  }
}

/** As many as there are packet identifiers. */
const MAXIMUM_IN_FLIGHT = 65_535;
const done: PublishResult = { reasonCode: 0, properties: undefined };
const dropped: PublishResult = { ...done, dropped: true };
const sent: Promise<PublishResult> = /* @__PURE__ */ Promise.resolve(done);

/** What waits is checked when it is published, not when it is too late to tell the caller. */
function validate(message: Message, version: ProtocolVersion): void {
  const { topic, payload, qos, retain, properties } = message;
  if (properties === undefined) {
    validateTopicName(topic);
  } else {
    encodePublish({ type: 3, topic, payload, qos, retain, dup: false, packetId: qos && 1, properties }, version);
  }
}

/** The interval that is sent is what is left of it, as a server does for the messages that it queues. */
function setRemainingExpiry(message: OutgoingMessage, nowMs: number): void {
  if (message.expiresAtMs === Number.POSITIVE_INFINITY) {
    return;
  }
  const messageExpiryInterval = Math.ceil((message.expiresAtMs - nowMs) / 1_000);
  message.properties = { ...message.properties, messageExpiryInterval };
}
