import type { MqttVersion } from "../case.ts";
import type { RawConnection, RawDial } from "../connection.ts";
import { ANSWER_TIMEOUT_MS, QUIET_MS } from "../limits.ts";
import { Peer } from "../peer.ts";
import type { Property, WirePacket } from "../wire/index.ts";
import * as wire from "../wire/index.ts";
import { Transcript } from "../wire/index.ts";

/** What a broker case gets from its target. */
export interface BrokerHarness {
  readonly dial: RawDial;
  /** Starts every topic and client id of the run; letters and digits only. Up to 8 characters. */
  readonly prefix: string;
  /** User name and password for a server that asks for them. */
  readonly credentials?: { readonly username: string; readonly password: string };
  /** Milliseconds to wait for an expected packet. Default 5,000. */
  readonly answerTimeoutMs?: number;
  /** Milliseconds to listen for what must not come. Default 300. */
  readonly quietMs?: number;
}

export interface LabConnectOptions extends wire.ConnectOptions {
  readonly label?: string;
  readonly profile?: string;
}

let cases = 0;

/** One broker case's workplace: connections, names of its own, and what has to be cleaned up after it. */
export class Lab {
  readonly version: MqttVersion;
  readonly harness: BrokerHarness;
  readonly transcript: Transcript = new Transcript();
  readonly quietMs: number;
  readonly #number: number;
  readonly #peers: Peer[] = [];
  readonly #retained = new Set<string>();
  readonly #sessions = new Set<string>();
  #labels = 0;

  constructor(harness: BrokerHarness, version: MqttVersion) {
    cases += 1;
    this.#number = cases;
    this.harness = harness;
    this.version = version;
    this.quietMs = harness.quietMs ?? QUIET_MS;
  }

  get five(): boolean {
    return this.version === "5.0";
  }

  /** A topic that no other case uses. */
  topic(name = "topic"): string {
    return `${this.harness.prefix}/${this.#number}/${name}`;
  }

  /** A client id that no other case uses, within the 23 letters and digits that every server has to take. */
  clientId(name = "c"): string {
    return `${this.harness.prefix}${this.#number}${name}`.slice(0, 23);
  }

  /** A connection on which nothing has been sent. */
  async open(label?: string, profile?: string): Promise<Peer> {
    const connection = await this.#dial(profile);
    const peer = new Peer(connection, {
      version: this.version,
      label: label ?? `client ${this.#nextLabel()}`,
      transcript: this.transcript,
      answerTimeoutMs: this.harness.answerTimeoutMs ?? ANSWER_TIMEOUT_MS,
      quietMs: this.quietMs,
    });
    this.#peers.push(peer);
    return peer;
  }

  /** The bytes of a CONNECT with this run's credentials and, unless given, a client id of its own. */
  connectBytes(options: LabConnectOptions = {}): Uint8Array {
    const { harness } = this;
    const clientId = options.clientId ?? this.clientId(`n${this.#nextLabel()}`);
    if (typeof clientId === "string" && (options.clean === false || hasExpiry(options))) {
      this.#sessions.add(clientId);
    }
    if (options.will?.retain === true && typeof options.will.topic === "string") {
      this.#retained.add(options.will.topic);
    }
    return wire.connect(this.version, { ...harness.credentials, ...options, clientId });
  }

  #nextLabel(): number {
    this.#labels += 1;
    return this.#labels;
  }

  /** Opens a connection, sends CONNECT and requires that it is accepted. */
  async connect(options: LabConnectOptions = {}): Promise<Peer> {
    const { peer } = await this.connectWith(options);
    return peer;
  }

  /** As `connect`, with the CONNACK. */
  async connectWith(options: LabConnectOptions = {}): Promise<{ peer: Peer; connack: WirePacket }> {
    const peer = await this.open(options.label, options.profile);
    peer.send(this.connectBytes(options));
    return { peer, connack: await peer.connack() };
  }

  /** Connect options of a session that outlives its connection: Clean Session 0, or a Session Expiry Interval. */
  persistent(clientId: string, more: LabConnectOptions = {}): LabConnectOptions {
    const properties: Property[] = [["sessionExpiryInterval", 300], ...(more.properties ?? [])];
    return { clean: false, clientId, ...more, ...(this.five ? { properties } : {}) };
  }

  /** Publishes a retained message that is removed after the case. */
  async retain(peer: Peer, options: wire.PublishOptions): Promise<void> {
    this.keepClean(options.topic as string);
    await peer.publish({ qos: 1, ...options, retain: true });
  }

  /** A retained message may be left on this topic: it is removed after the case. */
  keepClean(topic: string): void {
    this.#retained.add(topic);
  }

  /** Subscriber and publisher connected, the subscription granted. */
  async pair(
    filter: string,
    qos = 0,
    properties: readonly Property[] = [],
  ): Promise<{ subscriber: Peer; publisher: Peer }> {
    const subscriber = await this.connect({ label: "subscriber" });
    const publisher = await this.connect({ label: "publisher" });
    await subscriber.subscribe(filter, qos, properties);
    return { subscriber, publisher };
  }

  async wait(ms: number): Promise<void> {
    this.transcript.note("", `-- ${ms} ms pass`);
    await new Promise((resolve) => setTimeout(resolve, ms));
  }

  /** Ends every connection, deletes sessions and retained messages. */
  async close(): Promise<void> {
    for (const peer of this.#peers) {
      peer.drop();
    }
    if (this.#retained.size === 0 && this.#sessions.size === 0) {
      return;
    }
    try {
      for (const clientId of this.#sessions) {
        const peer = await this.#janitor(clientId);
        peer.disconnect();
      }
      if (this.#retained.size > 0) {
        const peer = await this.#janitor(this.clientId("end"));
        for (const topic of this.#retained) {
          await peer.publish({ topic, retain: true, qos: 1 });
        }
        peer.disconnect();
      }
    } catch {
      // What a broken server leaves behind cannot be cleaned up by asking it; the case has its verdict already.
    }
  }

  async #janitor(clientId: string): Promise<Peer> {
    const peer = await this.open("cleanup");
    peer.send(wire.connect(this.version, { ...this.harness.credentials, clientId, clean: true }));
    await peer.connack();
    return peer;
  }

  async #dial(profile: string | undefined): Promise<RawConnection> {
    return await this.harness.dial(profile === undefined ? {} : { profile });
  }
}

function hasExpiry(options: LabConnectOptions): boolean {
  return options.properties?.some(([name]) => name === "sessionExpiryInterval") ?? false;
}
