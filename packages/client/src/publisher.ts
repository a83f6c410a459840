import { encodePublish, type Properties, type ProtocolVersion, validateTopicName } from "@tidewire/codec";
import type { Link, Scheduler } from "@tidewire/link";
import type { ClientSession, Message } from "@tidewire/session";
import { ClientError } from "./errors.ts";
import type { PublishOptions, PublishResult } from "./interfaces.ts";
import { defaultQueue } from "./limits.ts";
import { MessageQueue } from "./message-queue.ts";
import type { QueueOptions } from "./options.ts";
import { OutgoingMessage } from "./outgoing-message.ts";
import { toBytes } from "./payload.ts";
import { invalidArgument, unsupportedByServer } from "./session-errors.ts";
import type { ClientStore, SavedClient } from "./store.ts";
import { aborted, limitWait } from "./wait-limit.ts";

export interface PublisherOptions {
  readonly version: ProtocolVersion;
  readonly scheduler: Scheduler;
  readonly queue: QueueOptions;
  readonly sessionLost: "resend" | "reject";
  /** Wall-clock milliseconds since 1970. */
  readonly wallNow: () => number;
  /** Something was staged in the store outside a connection's turn. */
  readonly onStaged: () => void;
  /** What waits or is in flight has changed. */
  readonly onChange: () => void;
}

/**
 * The sending side: a message goes out at once when it can, else it waits in the queue for a connection, for the
 * server's Receive Maximum or for room in the socket; always in the order of the calls.
 */
export class Publisher {
  readonly #options: PublisherOptions;
  readonly #queue = new MessageQueue();
  readonly #inFlight = new Map<number, OutgoingMessage>();
  readonly #maxMessages: number;
  readonly #maxBytes: number;
  #sequence = 0;
  #link: Link<ClientSession> | undefined;
  /** From `load` on. */
  #store: ClientStore | undefined;

  constructor(options: PublisherOptions) {
    this.#options = options;
    this.#maxMessages = options.queue.maxMessages ?? defaultQueue.maxMessages;
    this.#maxBytes = options.queue.maxBytes ?? defaultQueue.maxBytes;
  }

  get queued(): number {
    return this.#queue.size;
  }

  /** Sent with QoS 1 or 2 by this client object, and unanswered. */
  get inFlight(): number {
    return this.#inFlight.size;
  }

  publish(topic: string, payload: string | Uint8Array, options: PublishOptions = {}): Promise<PublishResult> {
    const signal = options.signal;
    if (signal?.aborted === true) return Promise.reject(aborted(signal));
    const properties = this.#options.version === 5 ? options.properties : undefined;
    const message = new OutgoingMessage(
      topic,
      toBytes(payload),
      options.qos ?? 0,
      options.retain ?? false,
      properties,
      this.#expiry(properties),
    );
    // The commonest case, and the fastest: nothing waits, and nobody has to be told later.
    if (message.qos === 0 && this.#canSend(message)) {
      try {
        this.#write(message);
        return sent;
      } catch (error) {
        return Promise.reject(sendError(error));
      }
    }
    return new Promise((resolve, reject) => {
      message.waiter = { resolve, reject, endWait: undefined };
      if (this.#canSend(message)) this.#send(message);
      else this.#enqueue(message);
      if (message.waiter !== undefined) {
        message.waiter.endWait = limitWait(options, this.#options.scheduler, (error) => this.#giveUp(message, error));
      }
    });
  }

  /** The store is open: what it held from before comes first, and what was published meanwhile goes into it. */
  load(store: ClientStore, saved: SavedClient): void {
    const waiting: OutgoingMessage[] = [];
    for (let message = this.#queue.peek(); message !== undefined; message = this.#queue.peek()) {
      this.#queue.remove(message);
      waiting.push(message);
    }
    this.#store = store;
    this.#sequence = 0;
    for (const { sequence, message } of saved.queued) {
      const { topic, payload, qos, retain, properties, expiresAtMs } = message;
      const restored = new OutgoingMessage(topic, payload, qos, retain, properties, expiresAtMs);
      restored.sequence = sequence;
      this.#sequence = sequence + 1;
      this.#queue.push(restored);
    }
    for (const message of waiting) this.#append(message);
  }

  /** A connection is up. `lost`: in flight before, and forgotten by the server. */
  online(
    link: Link<ClientSession>,
    lost: readonly { readonly packetId: number; readonly message: Message }[],
    sessionPresent: boolean,
  ): void {
    this.#link = link;
    if (!sessionPresent) this.#recover(lost);
    this.pump();
  }

  offline(): void {
    this.#link = undefined;
  }

  /** Sends what waits, as far as connection and server take it. */
  pump(): void {
    for (;;) {
      const message = this.#queue.peek();
      if (message === undefined || !this.#canWrite(message)) return;
      this.#dequeue(message);
      if (message.expiresAtMs <= this.#options.wallNow()) {
        message.reject(new ClientError("message-expired", "The message expired before it could be sent."));
      } else {
        this.#send(withRemainingExpiry(message, this.#options.wallNow()));
      }
      this.#options.onChange();
    }
  }

  settled(packetId: number, reasonCode: number, properties: Properties | undefined): void {
    const message = this.#inFlight.get(packetId);
    this.#inFlight.delete(packetId);
    if (message !== undefined) {
      if (reasonCode < 0x80)
        message.resolve(properties === undefined && reasonCode === 0 ? done : { reasonCode, properties });
      else {
        const text = `The server refused the message with reason code 0x${reasonCode.toString(16)}.`;
        message.reject(new ClientError("publish-refused", text, { reasonCode }));
      }
    }
    this.#options.onChange();
  }

  /** The client is closed: nobody is left waiting. What a store holds stays there. */
  close(error: ClientError): void {
    const waiting = [...this.#inFlight.values()];
    this.#inFlight.clear();
    for (let message = this.#queue.peek(); message !== undefined; message = this.#queue.peek()) {
      this.#queue.remove(message);
      waiting.push(message);
    }
    for (const message of waiting) message.reject(error);
  }

  /** The server lost the session: what it had taken is done, the rest is sent anew or given up. */
  #recover(lost: readonly { readonly packetId: number; readonly message: Message }[]): void {
    const waiting = new Map(this.#inFlight);
    this.#inFlight.clear();
    const again: OutgoingMessage[] = [];
    for (const { packetId, message } of lost) {
      const own = waiting.get(packetId) ?? adopt(message);
      waiting.delete(packetId);
      if (this.#options.sessionLost === "resend") again.push(own);
      else own.reject(new ClientError("session-lost", "The server lost the session while the message was in flight."));
    }
    // Received by the server (PUBREC came); what was owed to it is forgotten with the session.
    for (const message of waiting.values()) message.resolve(done);
    this.#prepend(again);
  }

  #canSend(message: OutgoingMessage): boolean {
    return this.#queue.size === 0 && this.#canWrite(message);
  }

  #canWrite(message: OutgoingMessage): boolean {
    const link = this.#link;
    return link?.writable === true && (message.qos === 0 || link.session.sendQuota > 0);
  }

  #send(message: OutgoingMessage): void {
    try {
      this.#write(message);
      if (message.qos === 0) message.resolve(done);
    } catch (error) {
      message.reject(sendError(error));
    }
  }

  #write(message: OutgoingMessage): void {
    const link = this.#link!;
    const packetId = link.session.publish(message, link.loop.now);
    link.touch();
    if (packetId === 0) return;
    this.#inFlight.set(packetId, message);
    this.#options.onChange();
  }

  #enqueue(message: OutgoingMessage): void {
    try {
      validate(message, this.#options.version);
    } catch (error) {
      message.reject(invalidArgument(error));
      return;
    }
    if (this.#makeRoom(message)) this.#append(message);
  }

  /** Applies the policy; false when the message was dealt with. */
  #makeRoom(message: OutgoingMessage): boolean {
    const policy = this.#options.queue.policy ?? "reject";
    if (policy === "qos-only" && message.qos === 0) {
      message.resolve(dropped);
      return false;
    }
    while (this.#queue.size >= this.#maxMessages || this.#queue.bytes + message.bytes > this.#maxBytes) {
      const oldest = policy === "drop-oldest" ? this.#queue.peek() : undefined;
      if (oldest === undefined) {
        if (policy === "drop-newest" || policy === "drop-oldest") message.resolve(dropped);
        else message.reject(new ClientError("queue-full", "The queue of messages that wait to be sent is full."));
        return false;
      }
      this.#dequeue(oldest);
      oldest.resolve(dropped);
    }
    return true;
  }

  #append(message: OutgoingMessage): void {
    message.sequence = this.#sequence++;
    this.#queue.push(message);
    this.#stage((store) => store.putQueued(message.sequence, message));
  }

  /** Before all that waits: it was published earlier. */
  #prepend(messages: readonly OutgoingMessage[]): void {
    if (messages.length === 0) return;
    const behind: OutgoingMessage[] = [];
    for (let message = this.#queue.peek(); message !== undefined; message = this.#queue.peek()) {
      this.#dequeue(message);
      behind.push(message);
    }
    for (const message of [...messages, ...behind]) this.#append(message);
  }

  #dequeue(message: OutgoingMessage): void {
    this.#queue.remove(message);
    this.#stage((store) => store.deleteQueued(message.sequence));
  }

  #stage(write: (store: ClientStore) => void): void {
    if (this.#store === undefined) return;
    write(this.#store);
    this.#options.onStaged();
  }

  /** Withdrawn when it still waits; once sent, its exchange goes on without the caller. */
  #giveUp(message: OutgoingMessage, error: ClientError): void {
    if (message.queued) {
      this.#dequeue(message);
      this.#options.onChange();
    }
    message.reject(error);
  }

  #expiry(properties: Properties | undefined): number {
    const seconds = properties?.messageExpiryInterval;
    return seconds === undefined ? Number.POSITIVE_INFINITY : this.#options.wallNow() + seconds * 1_000;
  }
}

const done: PublishResult = { reasonCode: 0, properties: undefined };
const dropped: PublishResult = { reasonCode: 0, properties: undefined, dropped: true };
const sent: Promise<PublishResult> = /* @__PURE__ */ Promise.resolve(done);

function sendError(error: unknown): ClientError {
  return unsupportedByServer(error) ?? invalidArgument(error);
}

/** What waits is checked when it is published, not when it is too late to tell the caller. */
function validate(message: Message, version: ProtocolVersion): void {
  const { topic, payload, qos, retain, properties } = message;
  if (properties === undefined) validateTopicName(topic);
  else encodePublish({ type: 3, topic, payload, qos, retain, dup: false, packetId: qos && 1, properties }, version);
}

/** The interval that is sent is what is left of it, as a server does for the messages that it queues. */
function withRemainingExpiry(message: OutgoingMessage, nowMs: number): OutgoingMessage {
  if (message.expiresAtMs === Number.POSITIVE_INFINITY) return message;
  const messageExpiryInterval = Math.ceil((message.expiresAtMs - nowMs) / 1_000);
  message.properties = { ...message.properties, messageExpiryInterval };
  return message;
}

/** A message that was in flight before this client object was made. */
function adopt(message: Message): OutgoingMessage {
  const { topic, payload, qos, retain, properties } = message;
  return new OutgoingMessage(topic, payload, qos, retain, properties, Number.POSITIVE_INFINITY);
}
