import type { Properties, QoS } from "@tidewire/codec";

/** An application message. Callers may pass their own objects with more fields; the same object comes back. */
export interface Message {
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly qos: QoS;
  readonly retain: boolean;
  readonly properties: Properties | undefined;
  /** A crash may have taken the memory that it was sent: it goes with DUP [MQTT-3.3.1-1]. */
  readonly maybeSent?: boolean;
}
