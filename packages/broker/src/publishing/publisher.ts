import type { ClusterBackend } from "../cluster/index.ts";
import type { Authority, ClientInfo } from "../hooks/index.ts";
import type { Encodings, IncomingPublication } from "../messages/index.ts";
import type { MetricsRecorder } from "../metrics/index.ts";
import type { RetainedMessages } from "../retained/index.ts";
import type { Router } from "../routing/index.ts";
import type { Storage } from "../storage/index.ts";

/** What a publisher needs of its broker. */
export interface PublisherNeeds {
  readonly authority: Pick<Authority, "published">;
  readonly cluster: Pick<ClusterBackend, "published" | "retained">;
  readonly metrics: MetricsRecorder;
  readonly retained: Pick<RetainedMessages, "accepts" | "set">;
  readonly router: Pick<Router, "publish">;
  readonly storage: Pick<Storage, "commitSoon" | "count" | "mayAccept">;
}

/** Why a publication was not taken over; 0x97 to whoever sent it. */
export const Refused = {
  /** The retained messages are at their limit. */
  RETAINED_FULL: -1,
  /** The store cannot keep messages at the moment. */
  STORE_UNAVAILABLE: -2,
} as const;

/** The one way into the broker for publications: clients', wills, the application's, and the broker's own. */
export class Publisher {
  readonly #needs: PublisherNeeds;

  constructor(needs: PublisherNeeds) {
    this.#needs = needs;
  }

  /**
   * Takes a publication that was allowed to everyone concerned. Returns how many receivers there were, or one of `Refused`
   * when what it asks to be kept cannot be kept: then nothing was done. `client` undefined for the broker's own.
   */
  publish(publication: IncomingPublication, encodings: Encodings, client: ClientInfo | undefined): number {
    const { retained, metrics, storage, cluster, router, authority } = this.#needs;
    if (publication.retain && !retained.accepts(publication.topic, publication.payload.byteLength)) {
      metrics.retainedRefused += 1;
      return Refused.RETAINED_FULL;
    }
    if ((publication.qos > 0 || publication.retain) && !storage.mayAccept()) {
      return Refused.STORE_UNAVAILABLE;
    }
    if (publication.retain) {
      retained.set(publication);
      storage.count();
      storage.commitSoon();
      cluster.retained(publication);
    }
    const receivers = router.publish(publication, encodings);
    cluster.published(publication);
    authority.published(client, publication);
    return receivers;
  }
}
