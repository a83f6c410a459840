import { Encodings, IncomingPublication } from "../messages/index.ts";
import type { MetricsRecorder } from "../metrics/index.ts";
import type { Router } from "../routing/index.ts";
import type { Clock, Deadline, Deadlines } from "../time/index.ts";
import type { Publisher } from "./publisher.ts";

/** What the `$SYS` topics need of their broker. */
export interface SysTopicsNeeds {
  readonly clock: Pick<Clock, "nowMs">;
  readonly deadlines: Pick<Deadlines, "after" | "cancel">;
  readonly metrics: MetricsRecorder;
  readonly publisher: Publisher;
  readonly router: Pick<Router, "groupCount" | "subscriptionCount">;
}

/** Publishes the broker's figures, retained, under the names that Mosquitto gives them. */
export class SysTopics {
  readonly #needs: SysTopicsNeeds;
  readonly #intervalMs: number;
  readonly #published = new Map<string, string>();
  #deadline: Deadline | undefined;

  constructor(needs: SysTopicsNeeds, intervalMs: number) {
    this.#needs = needs;
    this.#intervalMs = intervalMs;
  }

  start(): void {
    this.#publish("version", "tidewire");
    this.#tick();
  }

  stop(): void {
    if (this.#deadline !== undefined) {
      this.#needs.deadlines.cancel(this.#deadline);
    }
  }

  #tick(): void {
    const { metrics, router, clock, deadlines } = this.#needs;
    const uptimeSeconds = Math.floor((clock.nowMs() - metrics.startedAtMs) / 1000);
    this.#publish("uptime", `${uptimeSeconds} seconds`);
    this.#publish("subscriptions/count", String(router.subscriptionCount));
    this.#publish("shared_subscriptions/count", String(router.groupCount));
    for (const [topic, value] of TOPICS) {
      this.#publish(topic, String(value(metrics)));
    }
    this.#deadline = deadlines.after(this.#intervalMs, () => this.#tick());
  }

  /** Only what has changed. */
  #publish(name: string, value: string): void {
    if (this.#published.get(name) === value) {
      return;
    }
    this.#published.set(name, value);
    const payload = new TextEncoder().encode(value);
    const nowMs = this.#needs.clock.nowMs();
    const topic = `$SYS/broker/${name}`;
    const publication = new IncomingPublication(topic, payload, 0, true, undefined, undefined, nowMs);
    this.#needs.publisher.publish(publication, new Encodings(publication), undefined);
  }
}

const TOPICS: readonly (readonly [name: string, value: (metrics: MetricsRecorder) => number])[] = [
  ["clients/total", (m) => m.sessions],
  ["clients/connected", (m) => m.clients],
  ["clients/active", (m) => m.clients],
  ["clients/disconnected", (m) => m.sessions - m.clients],
  ["clients/inactive", (m) => m.sessions - m.clients],
  ["clients/maximum", (m) => m.clientsMaximum],
  ["clients/expired", (m) => m.sessionsExpired],
  ["bytes/received", (m) => m.bytesReceived],
  ["bytes/sent", (m) => m.bytesSent],
  ["messages/stored", (m) => m.retained + m.queued],
  ["store/messages/count", (m) => m.retained + m.queued],
  ["store/messages/bytes", (m) => m.retainedBytes + m.queuedBytes],
  ["retained messages/count", (m) => m.retained],
  ["publish/messages/received", (m) => m.publishReceived],
  ["publish/messages/sent", (m) => m.publishSent],
  ["publish/messages/dropped", (m) => m.droppedQoS0 + m.droppedQueueFull],
  ["publish/bytes/received", (m) => m.publishBytesReceived],
  ["publish/bytes/sent", (m) => m.publishBytesSent],
];
