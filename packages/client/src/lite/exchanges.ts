import type {
  AckPacket,
  Packet,
  PubackPacket,
  PubcompPacket,
  PublishPacket,
  PubrecPacket,
  PubrelPacket,
} from "@tidewire/codec";
import {
  FIRST_FAILURE,
  PACKET_IDENTIFIER_NOT_FOUND,
  PROTOCOL_ERROR,
  PUBACK,
  PUBCOMP,
  PUBLISH,
  PUBREC,
  PUBREL,
  RECEIVE_MAXIMUM_EXCEEDED,
  TOPIC_ALIAS_INVALID,
} from "@tidewire/codec/codes";
import type { Scheduler } from "@tidewire/link";
import type { Message } from "@tidewire/session";
import { ClientError, requestError } from "../errors/index.ts";
import { type Payload, toBytes } from "../messages/index.ts";
import type { PublishResult } from "../publishing/index.ts";
import { DRAIN_POLL_MS, HIGH_WATER_MARK, type PacketIds, type SocketConnection } from "../socket/index.ts";
import type { LitePublishOptions } from "./lite-client.ts";

type ReceivedAck = PubackPacket | PubrecPacket | PubcompPacket;

/** A message from `publish` to the end of its exchange. */
interface Outgoing extends Message {
  readonly resolve: (result: PublishResult) => void;
  readonly reject: (error: ClientError) => void;
  /** 0 before it was sent for the first time. */
  packetId: number;
  /** It, or its PUBREL, was sent on the present connection. */
  sent: boolean;
  /** PUBREC came: PUBREL is owed until PUBCOMP, and the message itself is not needed any more. */
  released: boolean;
}

/**
 * The messages of a session in both directions, over all its connections: what waits to be sent, what was sent and is
 * not acknowledged, and which QoS 2 messages were received and not released.
 */
export class Exchanges {
  readonly #ids: PacketIds;
  readonly #scheduler: Scheduler;
  readonly #maximumQueued: number;
  /** The present or the last one; one that has ended takes no packets. */
  #connection: SocketConnection | undefined;
  #queue: Outgoing[] = [];
  /** By packet identifier, in the order of first sending, which is that of sending again [MQTT-4.6.0-1]. */
  readonly #outgoing = new Map<number, Outgoing>();
  /** Of these, sent on this connection or released: what the server's Receive Maximum counts. */
  #inFlight = 0;
  /** Identifiers of QoS 2 messages delivered, until their PUBREL [MQTT-4.3.3-10]. */
  readonly #received = new Set<number>();
  /** Those that came on this connection: what this side's Receive Maximum counts. */
  readonly #open = new Set<number>();
  #polling = false;

  constructor(ids: PacketIds, scheduler: Scheduler, maximumQueued: number) {
    this.#ids = ids;
    this.#scheduler = scheduler;
    this.#maximumQueued = maximumQueued;
  }

  publish(topic: string, payload: Payload, options: LitePublishOptions = {}): Promise<PublishResult> {
    const { qos = 0, retain = false, properties } = options;
    return new Promise((resolve, reject) => {
      if (this.#queue.length >= this.#maximumQueued) {
        throw new ClientError("queue-full", "Too many messages wait to be sent.");
      }
      const state = { packetId: 0, sent: false, released: false };
      this.#queue.push({ topic, payload: toBytes(payload), qos, retain, properties, resolve, reject, ...state });
      this.#send();
    });
  }

  /** The server has accepted. What an earlier connection left unfinished comes before all that is new. */
  online(connection: SocketConnection, sessionPresent: boolean): void {
    this.#connection = connection;
    this.#open.clear();
    this.#inFlight = 0;
    const again: Outgoing[] = [];
    for (const message of this.#outgoing.values()) {
      message.sent = false;
      if (!message.released) {
        again.push(message);
      } else if (sessionPresent) {
        this.#release(message);
      } else {
        message.resolve(success);
      }
    }
    this.#queue = [...again, ...this.#queue.filter(({ packetId }) => packetId === 0)];
    if (!sessionPresent) {
      this.#lose();
    }
    this.#send();
  }

  close(error: ClientError): void {
    for (const { reject } of [...this.#outgoing.values(), ...this.#queue]) {
      reject(error);
    }
    this.#queue = [];
  }

  /**
   * A packet of the server; a message goes to `deliver`, one of QoS 2 once. Returns the reason code for what breaks the
   * protocol.
   */
  receive(packet: Packet, deliver: (packet: PublishPacket) => void): number | undefined {
    switch (packet.type) {
      case PUBLISH:
        return this.#receivePublish(packet, deliver);
      case PUBREL:
        return this.#receivePubrel(packet);
      case PUBACK:
      case PUBREC:
      case PUBCOMP:
        return this.#receiveAck(packet);
      default:
        return PROTOCOL_ERROR;
    }
  }

  #receivePublish(packet: PublishPacket, deliver: (packet: PublishPacket) => void): number | undefined {
    const { qos, packetId, properties } = packet;
    const { receiveMaximum = MAXIMUM_PACKET_ID } = this.#connection!.connect.properties ?? {};
    // None was announced to be taken [MQTT-3.3.2-9].
    if (properties?.topicAlias !== undefined) {
      return TOPIC_ALIAS_INVALID;
    }
    if (qos < 2) {
      deliver(packet);
      if (qos === 1) {
        this.#acknowledge(PUBACK, packetId);
      }
      return undefined;
    }
    if (!this.#open.has(packetId) && this.#open.size >= receiveMaximum) {
      return RECEIVE_MAXIMUM_EXCEEDED;
    }
    const repeated = this.#received.has(packetId);
    this.#open.add(packetId);
    this.#received.add(packetId);
    if (!repeated) {
      deliver(packet);
    }
    this.#acknowledge(PUBREC, packetId);
    return undefined;
  }

  #receivePubrel({ packetId }: PubrelPacket): undefined {
    this.#open.delete(packetId);
    // What is not known was released before: the PUBCOMP was lost with an earlier connection.
    const known = this.#received.delete(packetId);
    this.#acknowledge(PUBCOMP, packetId, known ? 0 : PACKET_IDENTIFIER_NOT_FOUND);
  }

  #receiveAck({ type, packetId, reasonCode, properties }: ReceivedAck): number | undefined {
    const message = this.#outgoing.get(packetId);
    if (message?.sent !== true) {
      // Nothing of this identifier was sent on this connection: the server may remember more than this side.
      if (type === PUBREC) {
        this.#acknowledge(PUBREL, packetId, PACKET_IDENTIFIER_NOT_FOUND);
      }
      return undefined;
    }
    const { qos, released } = message;
    if (type === PUBREC && (released || (qos === 2 && reasonCode < FIRST_FAILURE))) {
      this.#release(message);
      return undefined;
    }
    if (type !== (released ? PUBCOMP : qos === 1 ? PUBACK : PUBREC)) {
      return PROTOCOL_ERROR;
    }
    this.#forget(packetId);
    this.#inFlight -= 1;
    // What was released was received: "not found" in PUBCOMP means that an earlier one was lost.
    if (released) {
      message.resolve({ reasonCode: 0, properties });
    } else if (reasonCode < FIRST_FAILURE) {
      message.resolve({ reasonCode, properties });
    } else {
      message.reject(new ClientError("publish-refused", "The server refused the message.", { reasonCode }));
    }
    this.#send();
    return undefined;
  }

  /** As much as server and network take now. */
  readonly #send = (): void => {
    const connection = this.#connection;
    if (connection === undefined || connection.ended !== undefined) {
      return;
    }
    const { receiveMaximum = MAXIMUM_PACKET_ID } = connection.server;
    for (let next = this.#queue[0]; next !== undefined; next = this.#queue[0]) {
      if (next.qos > 0 && this.#inFlight >= receiveMaximum) {
        return;
      }
      if (connection.pendingBytes > HIGH_WATER_MARK) {
        this.#poll();
        return;
      }
      this.#queue.shift();
      try {
        this.#write(connection, next);
      } catch (error) {
        next.reject(requestError(error));
        this.#giveUp(next);
      }
    }
  };

  /** A WebSocket has no event for "sent". */
  #poll(): void {
    if (this.#polling) {
      return;
    }
    this.#polling = true;
    this.#scheduler.setTimer(() => {
      this.#polling = false;
      this.#send();
    }, DRAIN_POLL_MS);
  }

  #write(connection: SocketConnection, message: Outgoing): void {
    const dup = message.packetId > 0;
    if (message.qos > 0 && !dup) {
      message.packetId = this.#ids.take();
    }
    connection.publish(message, message.packetId, dup);
    if (message.qos === 0) {
      message.resolve(success);
      return;
    }
    message.sent = true;
    this.#inFlight += 1;
    this.#outgoing.set(message.packetId, message);
  }

  /**
   * This server does not take it. It may remember one of QoS 2 that was sent before: PUBREL takes that back, or the next
   * message with this identifier would pass for a duplicate.
   */
  #giveUp(message: Outgoing): void {
    if (message.qos === 2 && this.#outgoing.has(message.packetId)) {
      this.#release(message);
    } else {
      this.#forget(message.packetId);
    }
  }

  /** The server has lost the session: to it, what is sent again is new. */
  #lose(): void {
    this.#received.clear();
    for (const message of this.#outgoing.values()) {
      this.#forget(message.packetId);
      message.packetId = 0;
    }
  }

  #forget(packetId: number): void {
    this.#outgoing.delete(packetId);
    this.#ids.free(packetId);
  }

  #release(message: Outgoing): void {
    // Counted already when it was sent on this connection.
    if (!message.sent) {
      this.#inFlight += 1;
    }
    message.sent = true;
    message.released = true;
    this.#acknowledge(PUBREL, message.packetId);
  }

  #acknowledge(type: AckPacket["type"], packetId: number, reasonCode = 0): void {
    const connection = this.#connection!;
    // Before MQTT 5 there is nothing to tell.
    const code = connection.connect.version === 5 ? reasonCode : 0;
    connection.reply({ type, packetId, reasonCode: code, properties: undefined });
  }
}

const success: PublishResult = { reasonCode: 0, properties: undefined };
const MAXIMUM_PACKET_ID = 65_535;
