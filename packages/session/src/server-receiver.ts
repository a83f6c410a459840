import type { Violation } from "./errors.ts";
import { type Answer, notOwed, Receiver } from "./receiver.ts";
import * as violations from "./violations.ts";

/** A server also answers SUBSCRIBE and UNSUBSCRIBE, in one order with messages. */
export class ServerReceiver extends Receiver {
  protected override readonly tooMany: Violation = violations.receiveMaximumExceeded;

  /** Notes that such a request wants its answer. False: its id is in use. */
  request(type: Answer["type"], packetId: number): boolean {
    if (this.open.has(packetId) || this.owed.has(packetId)) {
      return false;
    }
    this.owed.set(packetId, type);
    return true;
  }

  answer(packet: Answer, now: number): void {
    if (this.owed.get(packet.packetId) !== packet.type) {
      throw notOwed();
    }
    this.owed.set(packet.packetId, packet);
    this.flush(now);
  }
}
