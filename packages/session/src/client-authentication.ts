import { type AuthPacket, type ConnectPacket, PacketType, type Properties, ReasonCode } from "@tidewire/codec";
import { misuse } from "./errors.ts";
import type { Authenticator } from "./interfaces.ts";

/** The client's side of AUTH exchanges (MQTT 5.0, 4.12): when connecting, and again later. */
export class ClientAuthentication {
  readonly #authenticator: Authenticator;
  readonly #write: (packet: AuthPacket, now: number) => void;
  /** A re-authentication is going on. */
  running = false;
  /** Counts challenges: an answer to an older one says nothing. */
  #challenge = 0;
  #now = 0;

  constructor(authenticator: Authenticator, write: (packet: AuthPacket, now: number) => void) {
    this.#authenticator = authenticator;
    this.#write = write;
  }

  get method(): string {
    return this.#authenticator.method;
  }

  /** CONNECT with method and first data. */
  begin(connect: ConnectPacket): ConnectPacket {
    return { ...connect, properties: { ...connect.properties, ...this.#properties(this.#authenticator.start()) } };
  }

  beginAgain(now: number): void {
    if (this.running) throw misuse("authentication-running", "an authentication is going on");
    this.#send(ReasonCode.ReAuthenticate, this.#authenticator.start(), now);
    this.running = true;
  }

  /** [MQTT-4.12.0-3] */
  challenge(packet: AuthPacket, now: number): void {
    const challenge = ++this.#challenge;
    this.#now = now;
    this.#authenticator.challenge(packet.properties?.authenticationData, (data) => {
      if (challenge !== this.#challenge) return;
      this.#challenge++;
      this.#send(ReasonCode.ContinueAuthentication, data, this.#now);
    });
  }

  /** No answer is wanted any more. */
  finish(): void {
    this.#challenge++;
    this.running = false;
  }

  #send(reasonCode: number, data: Uint8Array | undefined, now: number): void {
    this.#write({ type: PacketType.AUTH, reasonCode, properties: this.#properties(data) }, now);
  }

  #properties(data: Uint8Array | undefined): Properties {
    const properties: Properties = { authenticationMethod: this.method };
    if (data !== undefined) properties.authenticationData = data;
    return properties;
  }
}
