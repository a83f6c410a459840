import type { ClusterBackend } from "./cluster.ts";
import type { Encodings } from "./encodings.ts";
import type { BrokerHooks, ClientInfo } from "./hooks.ts";
import type { MetricsRecorder } from "./metrics.ts";
import type { IncomingPublication } from "./publication.ts";
import type { RetainedMessages } from "./retained.ts";
import type { Router } from "./router.ts";
import type { Storage } from "./storage.ts";

/** Takes accepted publications, from wherever they come, to everyone concerned. */
export class Publisher {
  readonly #router: Router;
  readonly #retained: RetainedMessages;
  readonly #storage: Storage;
  readonly #cluster: ClusterBackend;
  readonly #hooks: BrokerHooks;
  readonly #metrics: MetricsRecorder;

  constructor(
    router: Router,
    retained: RetainedMessages,
    storage: Storage,
    cluster: ClusterBackend,
    hooks: BrokerHooks,
    metrics: MetricsRecorder,
  ) {
    this.#router = router;
    this.#retained = retained;
    this.#storage = storage;
    this.#cluster = cluster;
    this.#hooks = hooks;
    this.#metrics = metrics;
  }

  /** Whether there is room to keep what this publication asks to be kept. */
  accepts(publication: IncomingPublication): boolean {
    if (publication.retain && !this.#retained.accepts(publication.topic, publication.payload.byteLength)) {
      this.#metrics.retainedRefused += 1;
      return false;
    }
    return (publication.qos === 0 && !publication.retain) || this.#storage.mayAccept();
  }

  /** Returns how many receivers there were. `client` undefined for the broker's own. */
  publish(publication: IncomingPublication, encodings: Encodings, client: ClientInfo | undefined): number {
    if (publication.retain) {
      this.#retained.set(publication);
      this.#storage.commitSoon();
      this.#cluster.retained(publication);
    }
    const receivers = this.#router.publish(publication, encodings);
    this.#cluster.published(publication);
    this.#hooks.onPublished?.(client, publication);
    return receivers;
  }
}
