import { randomUUID } from "node:crypto";
import {
  type Client,
  type ClientError,
  type Credentials,
  createClient,
  type Message,
  type Target,
} from "@tidewire/client";
import { type Alert, AlertRules, alertText, type Thresholds } from "./alerts.ts";
import { parseCommand } from "./commands.ts";
import { Sampler } from "./metrics.ts";

export interface AgentSettings {
  readonly target: Target;
  readonly credentials: Credentials;
  /** One topic level. */
  readonly id: string;
  readonly intervalMs: number;
  readonly thresholds: Thresholds;
  /** Connected; the device's status is `online` from now on. */
  readonly onOnline: () => void;
  /** Something worth a line: a lost connection, a command that was refused. */
  readonly onNotice: (text: string) => void;
  /** The broker refused for good (another agent has this id, say); the agent has ended. */
  readonly onEnded: (error: ClientError | undefined) => void;
}

/** A device: publishes what the sampler says, raises alerts and takes commands until it is closed. */
export class Agent {
  readonly #settings: AgentSettings;
  readonly #topics: Topics;
  readonly #client: Client;
  readonly #sampler: Sampler = new Sampler();
  readonly #rules: AlertRules;
  #timer: NodeJS.Timeout;

  constructor(settings: AgentSettings) {
    this.#settings = settings;
    this.#topics = topicsOf(settings.id);
    this.#rules = new AlertRules(settings.thresholds);
    this.#client = createClient(settings.target, {
      ...settings.credentials,
      clientId: `device-${settings.id}`,
      keepAlive: 15,
      // The broker says "offline" for us when we can't any more.
      will: { topic: this.#topics.status, payload: "offline", qos: 1, retain: true },
      reconnect: { minDelayMs: 250, maxDelayMs: 5000 },
      // A figure that could not be sent in time is worth nothing; an alert is.
      offlineQueue: { policy: "qos-only", maxMessages: 1000 },
    });
    this.#client.on("status", (status, { error }) => {
      if (status === "connected") {
        this.#online();
      }
      if (status === "reconnecting" && error !== undefined) {
        settings.onNotice(error.message);
      }
      if (status === "closed") {
        this.#ended(error);
      }
    });
    this.#client.on("error", (error) => settings.onNotice(error.message));
    this.#subscribe();
    this.#timer = setInterval(this.#sample, settings.intervalMs);
  }

  /** Says goodbye: the broker publishes the will, which sets the status to offline. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#client.close({ reasonCode: DISCONNECT_WITH_WILL });
  }

  #online(): void {
    this.#publish(this.#topics.status, "online", { qos: 1, retain: true });
    this.#settings.onOnline();
  }

  #ended(error: ClientError | undefined): void {
    clearInterval(this.#timer);
    this.#settings.onEnded(error);
  }

  #subscribe(): void {
    this.#client
      .subscribe(`${this.#topics.commands}/#`, { qos: 1, onMessage: (message) => this.#command(message) })
      .catch((error: unknown) => this.#failed("commands are not taken", error));
  }

  readonly #sample = (): void => {
    const metrics = this.#sampler.sample();
    for (const [name, value] of metrics) {
      this.#publish(`${this.#topics.metrics}/${name}`, String(value), { qos: 0 });
    }
    for (const { name, value, threshold } of this.#rules.check(metrics, performance.now())) {
      this.#alert(name, { text: alertText(name, value, threshold), value, threshold });
    }
  };

  #command(message: Message): void {
    const name = message.topic.slice(this.#topics.commands.length + 1);
    const command = parseCommand(name, message.text());
    if (typeof command === "string") {
      this.#settings.onNotice(`command refused: ${command}`);
    } else if (command.name === "interval") {
      clearInterval(this.#timer);
      this.#timer = setInterval(this.#sample, command.intervalMs);
    } else {
      this.#alert("test", { text: command.text });
    }
  }

  #alert(name: string, content: Pick<Alert, "text" | "value" | "threshold">): void {
    const alert: Alert = { id: randomUUID(), at: Date.now(), ...content };
    this.#publish(`${this.#topics.alerts}/${name}`, JSON.stringify(alert), { qos: 1 });
  }

  #publish(topic: string, payload: string, options: { qos: 0 | 1; retain?: boolean }): void {
    this.#client
      .publish(topic, payload, options)
      .catch((error: unknown) => this.#failed(`${topic} not published`, error));
  }

  /** Closing ends what is still waiting, which is no news. */
  #failed(what: string, error: unknown): void {
    if (this.#client.status !== "closed") {
      this.#settings.onNotice(`${what}: ${String(error)}`);
    }
  }
}

interface Topics {
  readonly metrics: string;
  readonly status: string;
  readonly commands: string;
  readonly alerts: string;
}

function topicsOf(id: string): Topics {
  return {
    metrics: `devices/${id}/metrics`,
    status: `devices/${id}/status`,
    commands: `devices/${id}/commands`,
    alerts: `alerts/${id}`,
  };
}

// MQTT 5 reason code: disconnect in order, but publish the will.
const DISCONNECT_WITH_WILL = 0x04;
