import type { BrokerContext } from "./context.ts";
import type { Encodings } from "./encodings.ts";
import type { ClientInfo } from "./hooks.ts";
import type { IncomingPublication } from "./publication.ts";

/** Takes accepted publications, from wherever they come, to everyone concerned. */
export class Publisher {
  readonly #context: BrokerContext;

  constructor(context: BrokerContext) {
    this.#context = context;
  }

  /** Whether there is room to keep what this publication asks to be kept. */
  accepts(publication: IncomingPublication): boolean {
    const { retained, metrics, storage } = this.#context;
    if (publication.retain && !retained.accepts(publication.topic, publication.payload.byteLength)) {
      metrics.retainedRefused += 1;
      return false;
    }
    return (publication.qos === 0 && !publication.retain) || storage.mayAccept();
  }

  /** Returns how many receivers there were. `client` undefined for the broker's own. */
  publish(publication: IncomingPublication, encodings: Encodings, client: ClientInfo | undefined): number {
    const { retained, storage, cluster, router, hooks } = this.#context;
    if (publication.retain) {
      retained.set(publication);
      storage.commitSoon();
      cluster.retained(publication);
    }
    const receivers = router.publish(publication, encodings);
    cluster.published(publication);
    if (hooks.onPublished !== undefined) {
      this.#context.notify("onPublished", () => hooks.onPublished!(client, publication));
    }
    return receivers;
  }
}
