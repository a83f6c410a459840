import { createLinkLoop, type LinkLoop, type Scheduler } from "@tidewire/link";
import type { ClusterBackend } from "./cluster/index.ts";
import { Acceptor, RateLimit } from "./connections/index.ts";
import { guardedScheduler } from "./guard.ts";
import { Authority, type BrokerHooks, EventHub } from "./hooks/index.ts";
import type { BrokerLimits } from "./limits.ts";
import type { BrokerLogger } from "./logger.ts";
import { MemoryBudget } from "./memory/index.ts";
import { MetricsRecorder } from "./metrics/index.ts";
import { Notices } from "./notices/index.ts";
import { Publisher } from "./publishing/index.ts";
import { RetainedMessages } from "./retained/index.ts";
import { Router } from "./routing/index.ts";
import { Sessions, UserShapes } from "./sessions/index.ts";
import { type BrokerStore, Storage } from "./storage/index.ts";
import { Clock, Deadlines } from "./time/index.ts";
import { Work } from "./work/index.ts";

/** What a broker is given, defaults filled in. */
export interface BrokerSettings {
  readonly scheduler: Scheduler;
  readonly store: BrokerStore;
  readonly hooks: readonly BrokerHooks[];
  readonly limits: BrokerLimits;
  readonly wallClock: () => number;
  readonly logger: BrokerLogger;
  readonly cluster: ClusterBackend;
  readonly sessionsHaveOwners: boolean;
  readonly checkRetainedPublisher: boolean;
}

/**
 * The parts of one broker, put together. Each part is given this object and knows of it only what its own `...Needs`
 * names, so that it can be made, tested and moved alone.
 */
export class Parts {
  readonly limits: BrokerLimits;
  readonly logger: BrokerLogger;
  readonly cluster: ClusterBackend;
  readonly sessionsHaveOwners: boolean;
  readonly scheduler: Scheduler;
  readonly metrics: MetricsRecorder;
  readonly memory: MemoryBudget;
  readonly events: EventHub;
  readonly deadlines: Deadlines;
  readonly notices: Notices;
  readonly work: Work;
  readonly authority: Authority;
  readonly storage: Storage;
  readonly loop: LinkLoop;
  readonly clock: Clock;
  readonly router: Router;
  readonly retained: RetainedMessages;
  readonly publisher: Publisher;
  readonly userShapes: UserShapes;
  readonly sessions: Sessions;
  readonly connectRate: RateLimit;
  readonly acceptor: Acceptor;

  constructor(settings: BrokerSettings) {
    const { scheduler, store, hooks, limits, wallClock, logger, cluster } = settings;
    this.sessionsHaveOwners = settings.sessionsHaveOwners;
    this.limits = limits;
    this.logger = logger;
    this.cluster = cluster;
    this.scheduler = guardedScheduler(scheduler, this.onFailure);
    this.metrics = new MetricsRecorder();
    this.memory = new MemoryBudget({ limit: limits.memoryBytes, logger, metrics: this.metrics });
    this.events = new EventHub((name, call) => this.notify(name, call));
    this.deadlines = new Deadlines(this.scheduler);
    this.notices = new Notices(this);
    this.work = new Work(this);
    this.authority = new Authority({
      hooks,
      deadlines: this.deadlines,
      timeoutMs: limits.hookTimeoutMs,
      checkRetainedPublisher: settings.checkRetainedPublisher,
      onFailure: (error) => {
        this.metrics.hookFailures += 1;
        logger.error(error.message, error);
      },
    });
    this.storage = new Storage(store, this.scheduler, this.metrics, logger);
    this.loop = createLinkLoop({ scheduler, barrier: this.storage.commit, onError: this.onFailure });
    this.clock = new Clock(this.loop, wallClock);
    this.router = new Router(this);
    this.retained = new RetainedMessages(this);
    this.publisher = new Publisher(this);
    this.userShapes = new UserShapes(limits, this.authority.authenticates);
    this.sessions = new Sessions(this);
    this.connectRate = new RateLimit(limits.connectsPerSecond);
    this.acceptor = new Acceptor(this);
  }

  /** A failure of the broker itself, whose connection has been ended. */
  readonly onFailure = (error: unknown): void => {
    this.metrics.internalFailures += 1;
    this.logger.error("a failure in the broker ended what it was doing, a connection at most", error);
  };

  /** Calls what the application gave; a failure there is reported and changes nothing here. */
  notify(name: string, call: () => void): void {
    try {
      call();
    } catch (error) {
      this.metrics.hookFailures += 1;
      this.logger.error(`${name} failed`, error);
    }
  }
}
