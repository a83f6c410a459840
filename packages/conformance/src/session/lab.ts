import type { MqttVersion } from "../case.ts";
import { check, checkEqual } from "../failure.ts";
import type { Property } from "../wire/index.ts";
import * as wire from "../wire/index.ts";
import { PacketSplitter, Type, type WirePacket } from "../wire/index.ts";
import type { ProtocolDriver, SessionHarness } from "./driver.ts";

/** Which end of the protocol is under test. */
export type End = "client" | "server";

interface OpenOptions {
  readonly keepAlive?: number;
  readonly receiveMaximum?: number;
  /** What the scripted other side announces. */
  readonly peerReceiveMaximum?: number;
  readonly resume?: ProtocolDriver;
  /** The client's authentication method; the server's CONNACK repeats it. */
  readonly authentication?: { readonly method: string; readonly answer: Uint8Array };
}

/** One end under test, the scripted other end, and a clock that only moves when told to. */
export class SessionLab {
  readonly version: MqttVersion;
  readonly end: End;
  nowMs = 1_000;
  readonly #harness: SessionHarness;
  #driver: ProtocolDriver | undefined;
  #splitter: PacketSplitter;
  #sent: WirePacket[] = [];

  constructor(harness: SessionHarness, version: MqttVersion, end: End) {
    this.#harness = harness;
    this.version = version;
    this.end = end;
    this.#splitter = new PacketSplitter(version);
  }

  get driver(): ProtocolDriver {
    check(this.#driver !== undefined, "expected an open session");
    return this.#driver;
  }

  /** Begins a connection and goes through CONNECT and CONNACK. */
  open(options: OpenOptions = {}): void {
    const { version } = this;
    const { keepAlive = 0, receiveMaximum, peerReceiveMaximum, resume, authentication } = options;
    const settings = {
      version,
      keepAlive,
      ...(receiveMaximum === undefined ? {} : { receiveMaximum }),
      ...(resume === undefined ? {} : { resume }),
      ...(authentication === undefined ? {} : { authentication }),
    };
    this.#splitter = new PacketSplitter(version);
    this.#sent = [];
    this.#driver = this.end === "client" ? this.#harness.client(settings) : this.#harness.server(settings);
    const quota: Property[] = peerReceiveMaximum === undefined ? [] : [["receiveMaximum", peerReceiveMaximum]];
    if (this.end === "client") {
      checkEqual(this.next().type, Type.CONNECT, "type of the first packet");
      const method: Property[] = authentication === undefined ? [] : [["authenticationMethod", authentication.method]];
      this.receive(wire.connack(version, 0, resume !== undefined, [...quota, ...method]));
    } else {
      const properties: Property[] = [["sessionExpiryInterval", 300], ...quota];
      this.receive(wire.connect(version, { clientId: "session", clean: false, keepAlive, properties }));
      const connack = this.next();
      checkEqual([connack.type, connack.reasonCode], [Type.CONNACK, 0], "type and code of the first packet");
    }
  }

  /** Loses the connection and begins another one with the same session. */
  reconnect(): void {
    const before = this.driver;
    before.receiveEnd(this.nowMs);
    this.open({ resume: before });
  }

  receive(bytes: Uint8Array): void {
    this.driver.receive(bytes, this.nowMs);
  }

  publish(qos: number): void {
    this.driver.publish({ topic: "out", payload: new Uint8Array(1), qos, retain: false }, this.nowMs);
  }

  /** The next packet that is sent. */
  next(): WirePacket {
    this.#collect();
    const packet = this.#sent.shift();
    check(packet !== undefined, "expected a packet to be sent");
    check(packet.problem === undefined, `expected a well-formed packet: ${packet.problem}`);
    return packet;
  }

  expect(type: number, packetId: number): void {
    const packet = this.next();
    checkEqual([packet.type, packet.packetId], [type, packetId], "type and identifier");
  }

  /** Everything sent that was not looked at. */
  rest(): readonly WirePacket[] {
    this.#collect();
    return this.#sent.splice(0);
  }

  /** Lets time pass, with a tick at every deadline on the way. */
  advance(ms: number): void {
    const end = this.nowMs + ms;
    for (let due = this.driver.nextDeadline(); due <= end && !this.driver.ended; due = this.driver.nextDeadline()) {
      this.nowMs = Math.max(this.nowMs, due);
      this.driver.tick(this.nowMs);
      if (this.driver.nextDeadline() <= due) {
        break;
      }
    }
    this.nowMs = end;
    this.driver.tick(end);
  }

  /** Lets time pass until something is sent. */
  untilOutput(limitMs: number): void {
    const end = this.nowMs + limitMs;
    while (this.#sent.length === 0 && this.nowMs < end) {
      const due = this.driver.nextDeadline();
      this.nowMs = Math.min(end, Math.max(due, this.nowMs + 1));
      this.driver.tick(this.nowMs);
      this.#collect();
    }
  }

  #collect(): void {
    this.#sent.push(...this.#splitter.push(this.driver.take()));
  }
}
