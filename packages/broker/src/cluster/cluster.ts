import type { Publication } from "../storage/index.ts";

/** What a broker does for the engine that connects it to others. */
export interface ClusterHost {
  /** Routes a publication that another node accepted, to the subscribers here. */
  deliver(publication: Publication): void;
  /** Sets a retained message that another node accepted, or with an empty payload deletes it; without routing it. */
  retain(publication: Publication): void;
  /** Another node has this session now: its connection here ends (0x8E), its state here goes. */
  release(clientId: string): void;
}

/**
 * The seam between one broker and others: publications, retained messages, sessions and filters that others have to know
 * pass here. Not passed are the members of shared subscriptions (each broker gives a message to one of its own) and what a
 * session holds when it moves to another broker.
 */
export interface ClusterBackend {
  start(host: ClusterHost): Promise<void>;
  /** A publication was accepted here; already routed to the subscribers here. */
  published(publication: Publication): void;
  /** A retained message was set here, or with an empty payload deleted. */
  retained(publication: Publication): void;
  /**
   * A client with this id is about to connect here. The promise resolves when no other node has it; the client waits
   * for its CONNACK meanwhile. Undefined: it has been here all along.
   */
  claim(clientId: string): Promise<void> | undefined;
  /** The session has ended here. */
  ended(clientId: string): void;
  /** A topic filter (without `$share/{group}/`) got its first subscriber here, or lost its last. */
  subscribed(filter: string): void;
  unsubscribed(filter: string): void;
  stop(): Promise<void>;
}

/** One broker alone. */
export function local(): ClusterBackend {
  return {
    async start() {},
    published() {},
    retained() {},
    claim() {
      return undefined;
    },
    ended() {},
    subscribed() {},
    unsubscribed() {},
    async stop() {},
  };
}
