import type { Message } from "@tidewire/session";
import { toRecord } from "./records.ts";
import type { Staging } from "./staging.ts";

type Expiring = Message & { readonly expiresAtMs?: number };

/**
 * What the database should hold, by reference to what the client has in memory anyway: so that it can be written anew when
 * the browser has thrown the database away.
 */
export class Contents {
  /** By packet id; the message is undefined after PUBREC. */
  readonly outgoing: Map<number, { readonly sequence: number; readonly message: Expiring | undefined }> = new Map();
  readonly incoming: Set<number> = new Set();
  readonly queue: Map<number, Expiring> = new Map();

  stage(staging: Staging): void {
    for (const [packetId, { sequence, message }] of this.outgoing) {
      staging.put("outgoing", packetId, { sequence, message: message && toRecord(message) });
    }
    for (const packetId of this.incoming) {
      staging.put("incoming", packetId, true);
    }
    for (const [sequence, message] of this.queue) {
      staging.put("queue", sequence, toRecord(message));
    }
  }
}
