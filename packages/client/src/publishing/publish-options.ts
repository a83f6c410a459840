import type { Properties, QoS } from "@tidewire/codec";
import type { OperationOptions } from "../calls/index.ts";

/** Options of `publish`. */
export interface PublishOptions extends OperationOptions {
  /** Default 0. */
  readonly qos?: QoS;
  /** Default false. */
  readonly retain?: boolean;
  /** MQTT 5 properties, under their specification names; ignored in 3.1.1. */
  readonly properties?: Properties;
}

/** What `publish` resolves with. */
export interface PublishResult {
  /** Of PUBACK, PUBREC or PUBCOMP, such as 0x10 No matching subscribers; 0 with QoS 0 and in 3.1.1. */
  readonly reasonCode: number;
  readonly properties: Properties | undefined;
  /** Present when the queue's policy discarded the message instead of sending it. */
  readonly dropped?: true;
}
