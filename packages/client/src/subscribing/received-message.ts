import type { Properties, PublishPacket, QoS } from "@tidewire/codec";
import type { Link } from "@tidewire/link";
import type { ClientProtocol } from "@tidewire/session";
import { type HeldMessage, parseJson, parseText, type SchemaOutput, type StandardSchema } from "../messages/index.ts";

/** Told when a message has been acknowledged. */
export type OnAcknowledged = (message: ReceivedMessage) => void;

/**
 * A message on its way through the consumers. It is acknowledged when everyone who holds it has let go, on the
 * connection that it came on or, sent again by the server, last came on.
 */
export class ReceivedMessage implements HeldMessage {
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly qos: QoS;
  readonly retain: boolean;
  readonly properties: Properties | undefined;
  readonly packetId: number;
  dup: boolean;
  #link: Link<ClientProtocol>;
  readonly #onAcknowledged: OnAcknowledged;
  #holds = 0;
  /** Somebody has to call `acknowledge`. */
  #manual = false;
  #reasonCode: number | undefined;

  constructor(packet: PublishPacket, link: Link<ClientProtocol>, onAcknowledged: OnAcknowledged) {
    this.topic = packet.topic;
    this.payload = packet.payload;
    this.qos = packet.qos;
    this.retain = packet.retain;
    this.dup = packet.dup;
    this.properties = packet.properties;
    this.packetId = packet.packetId;
    this.#link = link;
    this.#onAcknowledged = onAcknowledged;
  }

  text(): string {
    return parseText(this.payload);
  }

  json(): unknown;
  json<Schema extends StandardSchema>(schema: Schema): SchemaOutput<Schema>;
  json(schema?: StandardSchema): unknown {
    return parseJson(this.payload, schema);
  }

  acknowledge(reasonCode = 0): void {
    this.#manual = false;
    this.#settle(reasonCode);
  }

  hold(manual: boolean): void {
    if (manual) {
      this.#manual = true;
    } else {
      this.#holds += 1;
    }
  }

  release(): void {
    this.#holds -= 1;
    this.#settle(0);
  }

  /** The server sent it again, on a new connection: the acknowledgement belongs there. */
  moveTo(link: Link<ClientProtocol>): void {
    this.#link = link;
    this.dup = true;
    if (this.#reasonCode !== undefined) {
      this.#acknowledge(this.#reasonCode);
    }
  }

  #settle(reasonCode: number): void {
    if (this.qos === 0 || this.#holds > 0 || this.#manual || this.#reasonCode !== undefined) {
      return;
    }
    this.#acknowledge(reasonCode);
  }

  #acknowledge(reasonCode: number): void {
    this.#reasonCode = reasonCode;
    const { protocol, loop } = this.#link;
    // False: that connection is over, and the server will send the message again, if it keeps the session.
    if (!protocol.acknowledge(this.packetId, reasonCode, loop.now)) {
      return;
    }
    this.#link.touch();
    this.#onAcknowledged(this);
  }
}
