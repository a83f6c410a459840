import type { OutgoingMessage } from "./outgoing-message.ts";

/** First in, first out, with withdrawal from the middle and a count of messages and bytes. */
export class MessageQueue {
  #items: OutgoingMessage[] = [];
  #head = 0;
  #size = 0;
  #bytes = 0;

  get size(): number {
    return this.#size;
  }

  get bytes(): number {
    return this.#bytes;
  }

  push(message: OutgoingMessage): void {
    message.queued = true;
    this.#items.push(message);
    this.#size += 1;
    this.#bytes += message.bytes;
  }

  /** The oldest message, still in the queue. */
  peek(): OutgoingMessage | undefined {
    while (this.#head < this.#items.length) {
      const message = this.#items[this.#head]!;
      if (message.queued) {
        return message;
      }
      this.#head += 1;
    }
    this.#items = [];
    this.#head = 0;
    return undefined;
  }

  /** Takes all of them, oldest first. */
  takeAll(): readonly OutgoingMessage[] {
    const all = this.#items.filter((message) => message.queued);
    for (const message of all) {
      message.queued = false;
    }
    this.#items = [];
    this.#head = this.#size = this.#bytes = 0;
    return all;
  }

  /** Its place is skipped later: taking it out of the array would move all behind it. */
  remove(message: OutgoingMessage): void {
    message.queued = false;
    this.#size -= 1;
    this.#bytes -= message.bytes;
    if (this.#items.length > compactAbove && this.#items.length > this.#size * 2) {
      this.#items = this.#items.slice(this.#head).filter((item) => item.queued);
      this.#head = 0;
    }
  }
}

/** Places in the array from which on those no longer used are cleared away, when they are half of it. */
const compactAbove = 1_024;
