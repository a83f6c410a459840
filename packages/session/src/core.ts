import type { Packet, PacketWriter, ProtocolVersion, QoS } from "@tidewire/codec";
import type { Violation } from "./errors.ts";
import type { InflightState } from "./inflight.ts";
import type { PeerLimits, SessionHandler } from "./interfaces.ts";

/** What the sending and the receiving half need of the session they belong to. */
export interface Core {
  readonly version: ProtocolVersion;
  readonly ended: boolean;
  readonly handler: SessionHandler;
  readonly inflight: InflightState;
  readonly peer: PeerLimits;
  readonly writer: PacketWriter;
  /** Writes any packet but PUBLISH, without the parts that the peer does not want or cannot take. */
  write(packet: Packet, now: number): void;
  /** A PUBLISH was written. */
  sent(qos: QoS, now: number): void;
  violate(violation: Violation, now: number): void;
}

/** What this side told the peer that it takes. */
export interface OwnLimits {
  readonly receiveMaximum: number;
  readonly topicAliasMaximum: number;
  readonly maximumQoS: number;
  readonly retainAvailable: boolean;
  /** Only a server's PUBLISH has them [MQTT-3.3.4-6]. */
  readonly subscriptionIdentifiers: boolean;
}
