import { createLinkLoop, type LinkLoop, type Scheduler } from "@tidewire/link";
import { Clock } from "./clock.ts";
import type { ClusterBackend } from "./cluster.ts";
import { Deadlines } from "./deadlines.ts";
import { EventHub } from "./events.ts";
import type { BrokerHooks } from "./hooks.ts";
import type { BrokerLimits } from "./limits.ts";
import type { BrokerLogger } from "./logger.ts";
import { MetricsRecorder } from "./metrics.ts";
import { Publisher } from "./publisher.ts";
import { RetainedMessages } from "./retained.ts";
import { Router } from "./router.ts";
import { SessionRegistry } from "./session-registry.ts";
import { Storage } from "./storage.ts";
import type { BrokerStore } from "./store.ts";

/** What a broker is given, defaults filled in. */
export interface BrokerSettings {
  readonly scheduler: Scheduler;
  readonly store: BrokerStore;
  readonly hooks: BrokerHooks;
  readonly limits: BrokerLimits;
  readonly wallClock: () => number;
  readonly logger: BrokerLogger;
  readonly cluster: ClusterBackend;
}

/** The parts of one broker, for each other. */
export class BrokerContext {
  readonly limits: BrokerLimits;
  readonly hooks: BrokerHooks;
  readonly logger: BrokerLogger;
  readonly scheduler: Scheduler;
  readonly cluster: ClusterBackend;
  readonly metrics: MetricsRecorder;
  readonly events: EventHub;
  readonly deadlines: Deadlines;
  readonly storage: Storage;
  readonly loop: LinkLoop;
  readonly clock: Clock;
  readonly router: Router;
  readonly retained: RetainedMessages;
  readonly publisher: Publisher;
  readonly sessions: SessionRegistry;

  constructor({ scheduler, store, hooks, limits, wallClock, logger, cluster }: BrokerSettings) {
    this.limits = limits;
    this.hooks = hooks;
    this.logger = logger;
    this.scheduler = scheduler;
    this.cluster = cluster;
    this.metrics = new MetricsRecorder();
    this.events = new EventHub((name, call) => this.notify(name, call));
    this.deadlines = new Deadlines(scheduler);
    this.storage = new Storage(store, scheduler, this.metrics, logger);
    this.loop = createLinkLoop({
      scheduler,
      barrier: this.storage.commit,
      onError: (error) => logger.error("a connection was ended by a failure in the broker", error),
    });
    this.clock = new Clock(this.loop, wallClock);
    this.router = new Router(limits.routeCacheSize, this.metrics, cluster);
    this.retained = new RetainedMessages(this.storage, limits, this.metrics, this.clock, this.deadlines);
    this.publisher = new Publisher(this);
    this.sessions = new SessionRegistry(this);
  }

  /** Calls what the application gave; a failure there is reported and changes nothing here. */
  notify(name: string, call: () => void): void {
    try {
      call();
    } catch (error) {
      this.metrics.hookFailures += 1;
      this.logger.error(`${name} failed`, error);
    }
  }

  /** Goes on in a later turn, after I/O had its chance. */
  later(callback: () => void): void {
    if (this.scheduler.later === undefined) {
      this.scheduler.setTimer(callback, 0);
    } else {
      this.scheduler.later(callback);
    }
  }
}
