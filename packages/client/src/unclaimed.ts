import type { Scheduler } from "@tidewire/link";
import { ClientError } from "./errors.ts";
import type { ReceivedMessage } from "./received-message.ts";
import type { Consumer } from "./subscription.ts";

export interface UnclaimedOptions {
  readonly scheduler: Scheduler;
  readonly holdMs: number;
  readonly consumersOf: (message: ReceivedMessage) => readonly Consumer[];
  /** Whether somebody is told of every message anyway. */
  readonly heard: () => boolean;
  readonly report: (error: ClientError) => void;
}

/**
 * Messages that the server had kept for the session and sends before the application has subscribed again, as after a
 * reload. They wait a while, unacknowledged, for a subscription that matches; there are never more than Receive Maximum.
 */
export class Unclaimed {
  readonly #options: UnclaimedOptions;
  #messages: ReceivedMessage[] = [];
  /** Set while messages are taken. */
  #timer: unknown;

  constructor(options: UnclaimedOptions) {
    this.#options = options;
  }

  /** A session was resumed. What waits from before goes on waiting. */
  open(): void {
    const { scheduler, holdMs } = this.#options;
    this.#stop();
    this.#timer = scheduler.setTimer(() => this.#giveUp(), holdMs);
  }

  /** The session is lost, or the client closed: nobody is owed an acknowledgement. */
  close(): void {
    this.#messages = [];
    this.#stop();
  }

  /** Takes a message that is for no subscription. */
  add(message: ReceivedMessage): void {
    message.hold(false);
    if (this.#timer !== undefined && message.qos > 0) this.#messages.push(message);
    else message.release();
  }

  /** What waits now. */
  get messages(): readonly ReceivedMessage[] {
    return this.#messages;
  }

  /** Somebody has subscribed. */
  claim(): void {
    const waiting = this.#messages;
    this.#messages = [];
    for (const message of waiting) {
      const consumers = this.#options.consumersOf(message);
      for (const consumer of consumers) consumer.deliver(message);
      if (consumers.length > 0) message.release();
      else this.#messages.push(message);
    }
  }

  #giveUp(): void {
    const discarded = this.#messages;
    this.close();
    for (const message of discarded) message.release();
    if (discarded.length === 0 || this.#options.heard()) return;
    const text = `${discarded.length} messages of the resumed session were for no subscription and are discarded.`;
    this.#options.report(new ClientError("message-unclaimed", text));
  }

  #stop(): void {
    if (this.#timer !== undefined) this.#options.scheduler.clearTimer(this.#timer);
    this.#timer = undefined;
  }
}
