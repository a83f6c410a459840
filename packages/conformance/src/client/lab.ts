import type { Capability, ConformanceCase, MqttVersion } from "../case.ts";
import { ConformanceFailure, check } from "../failure.ts";
import { ANSWER_TIMEOUT_MS, QUIET_MS } from "../limits.ts";
import { Peer } from "../peer.ts";
import type { Property, WirePacket } from "../wire/index.ts";
import * as wire from "../wire/index.ts";
import { Transcript } from "../wire/index.ts";
import type { ClientDriver, ClientHarness, ClientOptions, DriverMessage, RawListener } from "./driver.ts";

export interface ConnackOptions {
  readonly sessionPresent?: boolean;
  readonly properties?: readonly Property[];
}

/** One client case's workplace: a scripted server, the client, and what the client's application received. */
export class ClientLab {
  readonly version: MqttVersion;
  readonly messages: DriverMessage[] = [];
  readonly #harness: ClientHarness;
  readonly #transcript = new Transcript();
  readonly #arrived: Peer[] = [];
  readonly #peers: Peer[] = [];
  readonly #clients: ClientDriver[] = [];
  #listener: RawListener | undefined;
  #wake: () => void = () => {};

  constructor(harness: ClientHarness, version: MqttVersion) {
    this.#harness = harness;
    this.version = version;
  }

  get five(): boolean {
    return this.version === "5.0";
  }

  get transcript(): string {
    return this.#transcript.toString();
  }

  /** Starts a client; the connection comes by `accept`. */
  async client(options: Partial<ClientOptions> = {}): Promise<ClientDriver> {
    this.#listener ??= await this.#harness.listen((connection) => {
      const peer = new Peer(connection, {
        version: this.version,
        label: `server ${this.#peers.length + 1}`,
        transcript: this.#transcript,
        answerTimeoutMs: this.#harness.answerTimeoutMs ?? ANSWER_TIMEOUT_MS,
        quietMs: this.#harness.quietMs ?? QUIET_MS,
      });
      this.#peers.push(peer);
      this.#arrived.push(peer);
      this.#wake();
    });
    const client = this.#harness.connect(this.#listener.address, {
      version: this.version,
      clientId: "conformance",
      clean: true,
      keepAlive: 0,
      reconnect: false,
      onMessage: (message) => this.messages.push(message),
      ...options,
    });
    this.#clients.push(client);
    return client;
  }

  /** The next connection that the client makes. */
  async accept(): Promise<Peer> {
    const deadline = performance.now() + (this.#harness.answerTimeoutMs ?? ANSWER_TIMEOUT_MS);
    for (;;) {
      const peer = this.#arrived.shift();
      if (peer !== undefined) {
        return peer;
      }
      const left = deadline - performance.now();
      check(left > 0, "expected the client to connect");
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }

  /** Accepts the next connection, reads CONNECT and answers with an accepting CONNACK. */
  async serve(connack: ConnackOptions = {}): Promise<{ server: Peer; connect: WirePacket }> {
    const server = await this.accept();
    const connect = await server.next("CONNECT");
    server.send(wire.connack(this.version, 0, connack.sessionPresent ?? false, connack.properties));
    return { server, connect };
  }

  /** A connected client and the server's side of its connection. */
  async session(
    options: Partial<ClientOptions> = {},
    connack: ConnackOptions = {},
  ): Promise<{ client: ClientDriver; server: Peer; connect: WirePacket }> {
    const client = await this.client(options);
    const served = await this.serve(connack);
    await client.ready();
    return { client, ...served };
  }

  /** Options of a client that keeps its session and comes back. */
  get returning(): Partial<ClientOptions> {
    return { clean: false, reconnect: true, ...(this.five ? { sessionExpiryInterval: 300 } : {}) };
  }

  /** Starts a publication; its outcome does not matter to the case. */
  publish(client: ClientDriver, qos: number, payload = "", topic = "conformance/topic"): void {
    this.#settled(client.publish({ topic, payload: new TextEncoder().encode(payload), qos, retain: false }));
  }

  subscribe(client: ClientDriver, filter = "conformance/filter", qos = 1): void {
    this.#settled(client.subscribe(filter, qos));
  }

  /** Waits until the application has received so many messages. */
  async received(count: number): Promise<string[]> {
    const deadline = performance.now() + (this.#harness.answerTimeoutMs ?? ANSWER_TIMEOUT_MS);
    while (this.messages.length < count && performance.now() < deadline) {
      await this.wait(10);
    }
    check(this.messages.length >= count, `expected ${count} messages at the application, got ${this.messages.length}`);
    return this.messages.map(({ payload }) => new TextDecoder().decode(payload));
  }

  async wait(ms: number): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, ms));
  }

  async close(): Promise<void> {
    for (const client of this.#clients) {
      client.destroy();
    }
    for (const peer of this.#peers) {
      peer.drop();
    }
    await this.#listener?.close();
  }

  #settled(operation: Promise<unknown>): void {
    operation.catch((error: unknown) => this.#transcript.note("client", `-- ${String(error)}`));
  }
}

export type ClientCase = ConformanceCase<ClientHarness> & { readonly version: MqttVersion };

export interface ClientRule {
  readonly id: string;
  readonly title: string;
  readonly v3?: readonly string[];
  readonly v5?: readonly string[];
  readonly needs?: readonly Capability[];
  run(lab: ClientLab): Promise<void>;
}

/** Makes the cases of a rule: one for each version that has it. */
export function clientRule({ id, title, v3, v5, needs, run }: ClientRule): ClientCase[] {
  const make = (version: MqttVersion, statements: readonly string[]): ClientCase => ({
    id: `${version}/client/${id}`,
    title,
    version,
    statements: statements.map((number) => `MQTT-${number}`),
    ...(needs === undefined ? {} : { needs }),
    run: async (harness) => {
      const lab = new ClientLab(harness, version);
      try {
        await run(lab);
      } catch (error) {
        if (error instanceof ConformanceFailure) {
          error.transcript = lab.transcript;
        }
        throw error;
      } finally {
        await lab.close();
      }
    },
  });
  return [...(v3 === undefined ? [] : [make("3.1.1", v3)]), ...(v5 === undefined ? [] : [make("5.0", v5)])];
}
