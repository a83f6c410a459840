import type {
  StoreEntry,
  StoreInflight,
  StoreLoaded,
  StoreOutgoingMessage,
  StorePublication,
  StoreSavedInflight,
  StoreSession,
  StoreSubscription,
  StoreUnderTest,
} from "./contract.ts";

/** A way to break the contract, around a store that keeps it. The suite has to catch every one. */
export interface Saboteur {
  readonly id: string;
  sabotage(store: StoreUnderTest): StoreUnderTest;
}

/** Passes everything on; the saboteurs change one thing each. */
class Passing implements StoreUnderTest {
  readonly #inner: StoreUnderTest;

  constructor(inner: StoreUnderTest) {
    this.#inner = inner;
  }

  get durable(): boolean {
    return this.#inner.durable;
  }

  get failure(): StoreUnderTest["failure"] {
    return this.#inner.failure;
  }

  open(): Promise<StoreLoaded> {
    return this.#inner.open();
  }

  putSession(session: StoreSession): void {
    this.#inner.putSession(session);
  }

  deleteSession(clientId: string): void {
    this.#inner.deleteSession(clientId);
  }

  putSubscription(clientId: string, subscription: StoreSubscription): void {
    this.#inner.putSubscription(clientId, subscription);
  }

  deleteSubscription(clientId: string, filter: string): void {
    this.#inner.deleteSubscription(clientId, filter);
  }

  enqueue(clientId: string, entry: StoreEntry): void {
    this.#inner.enqueue(clientId, entry);
  }

  dequeue(clientId: string, sequence: number): void {
    this.#inner.dequeue(clientId, sequence);
  }

  readQueue(clientId: string, fromSequence: number, maxCount: number, maxBytes: number): StoreEntry[] {
    return this.#inner.readQueue(clientId, fromSequence, maxCount, maxBytes);
  }

  inflight(clientId: string): StoreInflight {
    return this.#inner.inflight(clientId);
  }

  loadInflight(clientId: string): StoreSavedInflight {
    return this.#inner.loadInflight(clientId);
  }

  putRetained(publication: StorePublication): void {
    this.#inner.putRetained(publication);
  }

  deleteRetained(topic: string): void {
    this.#inner.deleteRetained(topic);
  }

  readRetained(topic: string): StorePublication | undefined {
    return this.#inner.readRetained(topic);
  }

  commit(): Promise<void> | undefined {
    return this.#inner.commit();
  }

  close(): Promise<void> {
    return this.#inner.close();
  }
}

export const saboteurs: readonly Saboteur[] = [
  saboteur(
    "promises-before-writing",
    class extends Passing {
      override commit(): Promise<void> {
        setTimeout(() => void super.commit()?.catch(() => {}), 5);
        return Promise.resolve();
      }
    },
  ),
  saboteur(
    "says-nothing-is-staged",
    class extends Passing {
      override commit(): undefined {
        return undefined;
      }
    },
  ),
  saboteur(
    "forgets-a-commit-under-way",
    class extends Passing {
      #isUnderWay = false;

      override commit(): Promise<void> | undefined {
        if (this.#isUnderWay) {
          return undefined;
        }
        const commit = super.commit();
        this.#isUnderWay = commit !== undefined;
        return commit?.finally(() => {
          this.#isUnderWay = false;
        });
      }
    },
  ),
  saboteur(
    "always-has-something-to-commit",
    class extends Passing {
      override commit(): Promise<void> {
        return super.commit() ?? Promise.resolve();
      }
    },
  ),
  saboteur(
    "writes-each-change-at-once",
    class extends Passing {
      override enqueue(clientId: string, entry: StoreEntry): void {
        super.enqueue(clientId, entry);
        super.commit()?.catch(() => {});
      }
    },
  ),
  saboteur(
    "reports-no-failure",
    class extends Passing {
      override get failure(): undefined {
        return undefined;
      }
    },
  ),
  saboteur(
    "swallows-a-failed-commit",
    class extends Passing {
      override commit(): Promise<void> | undefined {
        return super.commit()?.catch(() => {});
      }
    },
  ),
  saboteur(
    "orders-by-packet-id",
    class extends Passing {
      override loadInflight(clientId: string): StoreSavedInflight {
        const { outgoing, incoming } = super.loadInflight(clientId);
        return { outgoing: [...outgoing].sort((one, other) => one.packetId - other.packetId), incoming };
      }
    },
  ),
  saboteur(
    "forgets-taken-packet-ids",
    class extends Passing {
      override inflight(clientId: string): StoreInflight {
        return { ...super.inflight(clientId), putIncoming: () => {} };
      }
    },
  ),
  saboteur(
    "forgets-that-pubrel-is-owed",
    class extends Passing {
      override inflight(clientId: string): StoreInflight {
        const inner = super.inflight(clientId);
        return { ...inner, releaseOutgoing: (packetId) => inner.deleteOutgoing(packetId) };
      }
    },
  ),
  saboteur(
    "keeps-a-released-message",
    class extends Passing {
      override inflight(clientId: string): StoreInflight {
        return { ...super.inflight(clientId), releaseOutgoing: () => {} };
      }
    },
  ),
  saboteur(
    "copies-instead-of-moving",
    class extends Passing {
      override inflight(clientId: string): StoreInflight {
        const inner = super.inflight(clientId);
        const putOutgoing = (packetId: number, sequence: number, message: StoreOutgoingMessage): void => {
          inner.putOutgoing(packetId, sequence, message);
          super.enqueue(clientId, message.entry);
        };
        return { ...inner, putOutgoing };
      }
    },
  ),
  saboteur(
    "leaves-what-a-session-had",
    class extends Passing {
      override deleteSession(clientId: string): void {
        const waiting = super.readQueue(clientId, 0, 100, 1_000_000);
        super.deleteSession(clientId);
        for (const entry of waiting) {
          super.enqueue(clientId, entry);
        }
      }
    },
  ),
  saboteur(
    "lets-old-handles-write",
    class extends Passing {
      override inflight(clientId: string): StoreInflight {
        const current = (): StoreInflight => super.inflight(clientId);
        return {
          putOutgoing: (packetId, sequence, message) => current().putOutgoing(packetId, sequence, message),
          releaseOutgoing: (packetId) => current().releaseOutgoing(packetId),
          deleteOutgoing: (packetId) => current().deleteOutgoing(packetId),
          putIncoming: (packetId) => current().putIncoming(packetId),
          deleteIncoming: (packetId) => current().deleteIncoming(packetId),
          clear: () => current().clear(),
          commit: () => this.commit(),
        };
      }
    },
  ),
  saboteur(
    "frees-with-the-first-reference",
    class extends Passing {
      override dequeue(clientId: string, sequence: number): void {
        const [entry] = super.readQueue(clientId, sequence, 1, 0);
        if (entry?.sequence === sequence && entry.publication.payload.length > 1000) {
          Object.assign(entry.publication, { payload: new Uint8Array() });
        }
        super.dequeue(clientId, sequence);
      }
    },
  ),
  saboteur(
    "ignores-page-bytes",
    class extends Passing {
      override readQueue(clientId: string, fromSequence: number, maxCount: number): StoreEntry[] {
        return super.readQueue(clientId, fromSequence, maxCount, Number.POSITIVE_INFINITY);
      }
    },
  ),
  saboteur(
    "gives-no-entry-that-is-too-large",
    class extends Passing {
      override readQueue(clientId: string, fromSequence: number, maxCount: number, maxBytes: number): StoreEntry[] {
        const entries = super.readQueue(clientId, fromSequence, maxCount, maxBytes);
        return entries.filter(({ publication }) => publication.payload.length <= maxBytes);
      }
    },
  ),
  saboteur(
    "begins-sequences-anew",
    class extends Passing {
      override async open(): Promise<StoreLoaded> {
        const { sessions, retained } = await super.open();
        return { sessions: [...sessions].map((session) => ({ ...session, nextSequence: 0 })), retained };
      }
    },
  ),
  saboteur(
    "loses-infinity",
    class extends Passing {
      override enqueue(clientId: string, entry: StoreEntry): void {
        const { publication } = entry;
        const expiresAtMs = Number.isFinite(publication.expiresAtMs) ? publication.expiresAtMs : 0;
        super.enqueue(clientId, { ...entry, publication: { ...publication, expiresAtMs } });
      }
    },
  ),
  saboteur(
    "loses-the-will-s-time",
    class extends Passing {
      override putSession(session: StoreSession): void {
        super.putSession({ ...session, willAtMs: undefined });
      }
    },
  ),
  saboteur(
    "cuts-long-names",
    class extends Passing {
      override putSubscription(clientId: string, subscription: StoreSubscription): void {
        super.putSubscription(clientId, { ...subscription, filter: subscription.filter.slice(0, 1900) });
      }
    },
  ),
  saboteur(
    "keeps-the-first-retained-message",
    class extends Passing {
      override putRetained(publication: StorePublication): void {
        if (super.readRetained(publication.topic) === undefined) {
          super.putRetained(publication);
        }
      }
    },
  ),
  saboteur(
    "lets-the-crashed-stay-connected",
    class extends Passing {
      override async open(): Promise<StoreLoaded> {
        const { sessions, retained } = await super.open();
        return { sessions: [...sessions].map((session) => ({ ...session, disconnectedAtMs: undefined })), retained };
      }
    },
  ),
  saboteur(
    "takes-what-waits-for-never-sent",
    class extends Passing {
      override async open(): Promise<StoreLoaded> {
        const { sessions, retained } = await super.open();
        return { sessions: [...sessions].map((session) => ({ ...session, maybeSentBelow: undefined })), retained };
      }
    },
  ),
];

function saboteur(id: string, Class: new (inner: StoreUnderTest) => StoreUnderTest): Saboteur {
  return { id, sabotage: (store) => new Class(store) };
}
