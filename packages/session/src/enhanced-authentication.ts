import type { AuthPacket, Properties } from "@tidewire/codec";
import { AUTH, CONTINUE_AUTHENTICATION, RE_AUTHENTICATE, SUCCESS } from "@tidewire/codec/codes";
import type { ClientState } from "./client-states.ts";
import { misuse, type Violation } from "./errors.ts";

import * as violations from "./violations.ts";

/**
 * The client's side of AUTH exchanges (MQTT 5.0, 4.12), when connecting and again later, for the option `authenticator`
 * of one protocol. A client that does without carries none of it.
 */
export function enhancedAuthentication(authenticator: Authenticator): EnhancedAuthentication {
  return new Exchanges(authenticator);
}

class Exchanges implements EnhancedAuthentication {
  readonly #authenticator: Authenticator;
  #session: AuthenticatedSession | undefined = undefined;
  /** A re-authentication is going on. */
  #running = false;
  /** Counts challenges: an answer to an older one says nothing. */
  #challenge = 0;

  constructor(authenticator: Authenticator) {
    this.#authenticator = authenticator;
  }

  get method(): string {
    return this.#authenticator.method;
  }

  begin(session: AuthenticatedSession, properties: Properties | undefined): Properties {
    this.#session = session;
    return { ...properties, ...this.#properties(this.#authenticator.start()) };
  }

  beginAgain(now: number): void {
    if (this.#running) {
      throw misuse(
        "authentication-running",
        "reauthenticate() was called while an exchange goes on: wait for onReauthenticated.",
      );
    }
    this.#send(RE_AUTHENTICATE, this.#authenticator.start(), now);
    this.#running = true;
  }

  receive(packet: AuthPacket, now: number): Violation | undefined {
    const succeeded = packet.reasonCode === SUCCESS;
    // Success of the first exchange is CONNACK; a later exchange begins with this client.
    if (this.#session?.state === "connected" ? !this.#running : succeeded) {
      return violations.authenticationUnexpected;
    }
    // AUTH without reason and properties is a success as well, and names no method (MQTT 5.0, 3.15.2.1).
    if (packet.properties?.authenticationMethod !== this.method && !(succeeded && packet.properties === undefined)) {
      return violations.authenticationMethodChanged;
    }
    if (succeeded) {
      this.finish();
      this.#session?.handler.onReauthenticated?.();
    } else {
      this.#answer(packet.properties?.authenticationData, now);
    }
    return undefined;
  }

  finish(): void {
    this.#challenge += 1;
    this.#running = false;
  }

  /** [MQTT-4.12.0-3] */
  #answer(data: Uint8Array | undefined, now: number): void {
    this.#challenge += 1;
    const challenge = this.#challenge;
    this.#authenticator.challenge(data, (answer) => {
      if (challenge !== this.#challenge || this.#session?.state === "closed") {
        return;
      }
      this.#challenge += 1;
      this.#send(CONTINUE_AUTHENTICATION, answer, now);
    });
  }

  #send(reasonCode: number, data: Uint8Array | undefined, now: number): void {
    this.#session?.write({ type: AUTH, reasonCode, properties: this.#properties(data) }, now);
  }

  #properties(data: Uint8Array | undefined): Properties {
    const properties: Properties = { authenticationMethod: this.method };
    if (data !== undefined) {
      properties.authenticationData = data;
    }
    return properties;
  }
}

/** Answers AUTH challenges, at once or later through `respond`. Its method goes into CONNECT. */
export interface Authenticator {
  readonly method: string;
  /** The first data for CONNECT. */
  start(): Uint8Array | undefined;
  /** `data` undefined in `respond` sends AUTH without data. */
  challenge(data: Uint8Array | undefined, respond: (data: Uint8Array | undefined) => void): void;
}

/** What `enhancedAuthentication` makes of an authenticator: AUTH exchanges as a client's protocol sees them. */
export interface EnhancedAuthentication {
  readonly method: string;
  /** The protocol is about to connect: returns the properties of its CONNECT with those of the exchange. */
  begin(session: AuthenticatedSession, properties: Properties | undefined): Properties;
  /** Throws when an exchange is going on. */
  beginAgain(now: number): void;
  /** Returns the rule that the server broke. */
  receive(packet: AuthPacket, now: number): Violation | undefined;
  /** Connected: no answer is wanted any more. */
  finish(): void;
}

/** What an authentication needs of its protocol. */
export interface AuthenticatedSession {
  readonly state: ClientState;
  readonly handler: { onReauthenticated?(): void };
  write(packet: AuthPacket, now: number): void;
}
