import { createDecoder, createPacketWriter, MqttError, type PublishPacket } from "@tidewire/codec";
import type { DriverMessage } from "@tidewire/conformance/client";
import type { ProtocolDriver, SessionHarness, SessionSettings } from "@tidewire/conformance/session";
import {
  createClientProtocol,
  createInflight,
  createServerProtocol,
  enhancedAuthentication,
  type Inflight,
  type Protocol,
  type ProtocolRequests,
} from "@tidewire/session";

/** Both ends of Tidewire's session engine as the suite drives them. */
export const tidewireSessions: SessionHarness = {
  client: (settings) => new TidewireSession(settings, "client"),
  server: (settings) => new TidewireSession(settings, "server"),
};

class TidewireSession implements ProtocolDriver {
  readonly messages: DriverMessage[] = [];
  readonly reauthenticate?: (nowMs: number) => void;
  readonly #inflight: Inflight;
  readonly #decoder;
  readonly #writer;
  readonly #session: Protocol & ProtocolRequests;
  readonly #waiting: DriverMessage[] = [];
  #nowMs = 1_000;
  #connected = false;

  constructor(settings: SessionSettings, end: "client" | "server") {
    const version = settings.version === "5.0" ? 5 : 4;
    this.#decoder = createDecoder({ version });
    this.#writer = createPacketWriter({ version });
    this.#inflight = settings.resume instanceof TidewireSession ? settings.resume.#inflight : createInflight();
    const properties = settings.receiveMaximum === undefined ? undefined : { receiveMaximum: settings.receiveMaximum };
    const shared = {
      onPublish: (packet: PublishPacket) => this.#onPublish(packet),
      onSettled: () => {},
      onSendQuota: () => this.#flush(),
      onEnd: () => {},
      onDisconnect: () => {},
    };
    const { authentication } = settings;
    const parts = { inflight: this.#inflight, writer: this.#writer };
    if (end === "client") {
      const session = createClientProtocol({
        ...parts,
        connect: {
          type: 1,
          version,
          bridge: false,
          clientId: "session",
          cleanStart: false,
          keepAlive: settings.keepAlive,
          will: undefined,
          username: undefined,
          password: undefined,
          properties,
        },
        ...(authentication === undefined
          ? {}
          : {
              authenticator: enhancedAuthentication({
                method: authentication.method,
                start: () => undefined,
                challenge: (_data, respond) => respond(authentication.answer),
              }),
            }),
        handler: { ...shared, onConnack: () => this.#onConnected(), onSuback: () => {}, onUnsuback: () => {} },
      });
      this.#session = session;
      this.reauthenticate = (nowMs) => session.reauthenticate(nowMs);
      session.open(this.#nowMs);
      return;
    }
    const session = createServerProtocol({
      writer: this.#writer,
      now: this.#nowMs,
      handler: {
        ...shared,
        onConnect: () => {
          const { inflight } = parts;
          session.accept({ inflight, sessionPresent: settings.resume !== undefined, properties }, this.#nowMs);
          this.#onConnected();
        },
        onSubscribe: ({ packetId, subscriptions }) => {
          session.suback(
            packetId,
            subscriptions.map(({ qos }) => qos),
            this.#nowMs,
          );
        },
        onUnsubscribe: ({ packetId, filters }) => {
          session.unsuback(
            packetId,
            filters.map(() => 0),
            this.#nowMs,
          );
        },
      },
    });
    this.#session = session;
  }

  get ended(): boolean {
    return this.#session.end !== undefined;
  }

  take(): Uint8Array {
    return Buffer.concat(this.#writer.take());
  }

  receive(bytes: Uint8Array, nowMs: number): void {
    this.#nowMs = nowMs;
    this.#decoder.push(bytes);
    try {
      for (let packet = this.#decoder.next(); packet !== null && !this.ended; packet = this.#decoder.next()) {
        this.#session.receive(packet, nowMs);
      }
    } catch (error) {
      if (!(error instanceof MqttError)) {
        throw error;
      }
      this.#session.receiveError(error, nowMs);
    }
  }

  receiveEnd(nowMs: number): void {
    this.#session.receiveEnd(nowMs);
  }

  tick(nowMs: number): void {
    this.#nowMs = nowMs;
    this.#session.tick(nowMs);
  }

  nextDeadline(): number {
    return this.#session.nextDeadline();
  }

  publish(message: DriverMessage, nowMs: number): void {
    this.#nowMs = nowMs;
    this.#waiting.push(message);
    this.#flush();
  }

  #onConnected(): void {
    this.#connected = true;
    this.#flush();
  }

  /** Sends what the quota allows. */
  #flush(): void {
    while (this.#connected && !this.ended && this.#session.sendQuota > 0) {
      const message = this.#waiting.shift();
      if (message === undefined) {
        return;
      }
      const qos = message.qos === 0 || message.qos === 1 ? message.qos : 2;
      this.#session.publish({ ...message, qos, properties: undefined }, this.#nowMs);
    }
  }

  #onPublish({ topic, payload, qos, retain, packetId }: PublishPacket): void {
    this.messages.push({ topic, payload, qos, retain });
    if (qos > 0) {
      this.#session.acknowledge(packetId, 0, this.#nowMs);
    }
  }
}
