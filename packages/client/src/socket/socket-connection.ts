import {
  type ConnackPacket,
  type ConnectPacket,
  createClientDecoder,
  createClientPacketWriter,
  type Decoder,
  excludedFilter,
  MqttError,
  type Packet,
  type Properties,
  reasonCodeFor,
  type SubackPacket,
  type SubscribePacket,
  type SubscriptionRequest,
  type UnsubackPacket,
  type UnsubscribePacket,
} from "@tidewire/codec";
import {
  CONNACK,
  DISCONNECT,
  PINGREQ,
  PINGRESP,
  PROTOCOL_ERROR,
  PUBLISH,
  SUBACK,
  SUBSCRIBE,
  UNSUBACK,
  UNSUBSCRIBE,
} from "@tidewire/codec/codes";
import type { Scheduler } from "@tidewire/link";
import type { Message } from "@tidewire/session";
import { ClientError, type ClientErrorDetails, invalidArgument, refusedError } from "../errors/index.ts";
import { checkConnect, checkUrl } from "../handshake/index.ts";
import { announced, CLOSE_TIMEOUT_MS, CONNECT_TIMEOUT_MS } from "./limits.ts";
import type { PacketIds } from "./packet-ids.ts";

/** What a connection tells the client around it. */
export interface ConnectionHandler {
  /** The server has accepted. */
  onConnack(packet: ConnackPacket): void;
  /** A message, or the acknowledgement of one. Returns the reason code for what breaks the protocol. */
  onPacket(packet: Packet): number | undefined;
  /** The connection is over; once, last. */
  onEnd(error: ClientError): void;
}

/** What the caller says about the WebSocket. */
export interface SocketOptions {
  /** Another class with the interface of the platform's, such as that of `ws`. */
  readonly WebSocket?: typeof WebSocket;
  /** From dialling to CONNACK. Default 30,000. */
  readonly connectTimeoutMs?: number;
}

/** To be told the reason code in the server's answer, or why there is none. */
export type Done = (result: number | ClientError) => void;

interface Request {
  /** Packet type of the answer. */
  readonly answer: number;
  readonly done: Done;
}

/**
 * MQTT over one WebSocket, from dialling to its end: the way between bytes and packets, the handshake, keep-alive, and
 * who gets which packet. All that is written in a turn leaves at its end.
 */
export class SocketConnection {
  readonly connect: ConnectPacket;
  /** Resolves when the WebSocket has closed. */
  readonly closed: Promise<void>;
  /** What the server said of itself in CONNACK. */
  server: Properties = {};
  /** Why it is over. */
  ended: ClientError | undefined;
  readonly #ids: PacketIds;
  readonly #handler: ConnectionHandler;
  readonly #scheduler: Scheduler;
  readonly #decoder: Decoder;
  readonly #writer = createClientPacketWriter();
  readonly #socket: WebSocket;
  /** SUBSCRIBE and UNSUBSCRIBE without answer, by packet identifier. */
  readonly #requests = new Map<number, Request>();
  #accepted = false;
  #flushing = false;
  /** Something came since the last PINGREQ. */
  #heard = true;
  /** Of the handshake, then of keep-alive, at last of the closing. */
  #timer: unknown;
  #onClosed: () => void = () => {};

  /** Throws `invalid-argument` when the URL or CONNECT is not valid, before a WebSocket is made. */
  constructor(
    url: string | URL,
    { WebSocket: Socket = WebSocket, connectTimeoutMs = CONNECT_TIMEOUT_MS }: SocketOptions,
    connect: ConnectPacket,
    ids: PacketIds,
    handler: ConnectionHandler,
    scheduler: Scheduler,
  ) {
    const { version, properties } = connect;
    this.connect = connect;
    this.#ids = ids;
    this.#handler = handler;
    this.#scheduler = scheduler;
    this.#decoder = createClientDecoder({
      version,
      maximumPacketSize: properties?.maximumPacketSize ?? announced.maximumPacketSize,
    });
    checkConnect(connect);
    this.#writer.write(connect);
    const socket = open(Socket, checkUrl(url));
    this.#socket = socket;
    socket.binaryType = "arraybuffer";
    socket.onopen = this.#flush;
    socket.onmessage = ({ data }) => this.#read(data);
    this.closed = new Promise((resolve) => {
      this.#onClosed = () => {
        this.end(lost("The connection ended."));
        scheduler.clearTimer(this.#timer);
        resolve();
      };
    });
    // Where a page's policy forbids the URL, `error` comes alone; in Node, one that nobody hears ends the process.
    socket.onclose = socket.onerror = this.#onClosed;
    this.#timer = scheduler.setTimer(
      () => this.end(new ClientError("timeout", `The server did not accept within ${connectTimeoutMs} ms.`)),
      connectTimeoutMs,
    );
  }

  /** Bytes that have not left this machine. */
  get pendingBytes(): number {
    return this.#writer.pendingBytes + this.#socket.bufferedAmount;
  }

  write(packet: Packet): void {
    if (this.ended !== undefined) {
      return;
    }
    this.#writer.write(packet);
    if (!this.#flushing) {
      this.#scheduler.defer(this.#flush);
    }
    this.#flushing = true;
  }

  /** Writes what is owed to the server; one that takes no packet of that size can have none, and no connection. */
  reply(packet: Packet): void {
    try {
      this.write(packet);
    } catch (error) {
      this.#breakOff(0, error);
    }
  }

  /** Throws for what the server does not take, or no server would. */
  publish({ topic, payload, qos, retain, properties }: Message, packetId: number, dup: boolean): void {
    const { maximumQoS = 2, retainAvailable = true } = this.server;
    if (qos > maximumQoS || (retain && !retainAvailable)) {
      throw notSupported();
    }
    const known = this.connect.version === 5 ? properties : undefined;
    this.write({ type: PUBLISH, topic, payload, qos, retain, dup, packetId, properties: known });
  }

  /** With an `identifier` where the server knows such things. Throws when the request is not valid. */
  subscribe(subscription: SubscriptionRequest, identifier: number, done: Done): void {
    if (excludedFilter(subscription.filter, this.server) > 0) {
      throw notSupported();
    }
    const identified =
      this.connect.version === 5 && this.server.subscriptionIdentifierAvailable !== false && identifier > 0;
    const properties = identified ? { subscriptionIdentifiers: [identifier] } : undefined;
    const packetId = this.#ids.take();
    this.#ask({ type: SUBSCRIBE, packetId, subscriptions: [subscription], properties }, done);
  }

  unsubscribe(filter: string, done: Done): void {
    const packetId = this.#ids.take();
    this.#ask({ type: UNSUBSCRIBE, packetId, filters: [filter], properties: undefined }, done);
  }

  /** Ends it; with a reason code the server is told, where there is a way to say so. */
  end(error: ClientError, reasonCode?: number, properties?: Properties): void {
    if (this.ended !== undefined) {
      return;
    }
    this.ended = error;
    try {
      // Before MQTT 5 DISCONNECT says that all is well.
      if (reasonCode === 0 || (reasonCode !== undefined && this.connect.version === 5)) {
        this.#writer.write({ type: DISCONNECT, reasonCode, properties });
      }
    } catch {
      // Too large for this server, which learns it from the end of the connection.
    }
    this.#scheduler.clearTimer(this.#timer);
    this.#flush();
    this.#socket.close();
    // A dead line does not answer the closing handshake.
    this.#timer = this.#scheduler.setTimer(this.#onClosed, CLOSE_TIMEOUT_MS);
    for (const [packetId, { done }] of this.#requests) {
      this.#ids.free(packetId);
      done(error);
    }
    this.#handler.onEnd(error);
  }

  #ask(packet: SubscribePacket | UnsubscribePacket, done: Done): void {
    const { type, packetId } = packet;
    try {
      this.write(packet);
    } catch (error) {
      this.#ids.free(packetId);
      throw error;
    }
    // SUBACK comes after SUBSCRIBE, and UNSUBACK after UNSUBSCRIBE, in numbers as well.
    this.#requests.set(packetId, { answer: type + 1, done });
  }

  readonly #flush = (): void => {
    this.#flushing = false;
    if (this.#socket.readyState !== this.#socket.OPEN) {
      return;
    }
    for (const chunk of this.#writer.take()) {
      this.#socket.send(chunk as Uint8Array<ArrayBuffer>);
    }
  };

  #read(data: ArrayBuffer | string): void {
    this.#heard = true;
    try {
      // A text message is no MQTT [MQTT-6.0.0-1].
      if (typeof data === "string") {
        this.#breakOff(PROTOCOL_ERROR);
      } else {
        const chunk = new Uint8Array(data);
        // A CONNACK that is too short for MQTT 5 comes from a server that speaks 3.1.1 alone.
        if (!this.#accepted && this.connect.version === 5 && chunk[0] === CONNACK << 4 && chunk[1] === 2) {
          this.end(refusedError(reasonCodeFor(chunk[3] || 1)));
        }
        this.#decoder.push(chunk);
      }
      for (let packet = this.#next(); packet !== null; packet = this.#next()) {
        const violation = this.#receive(packet);
        if (violation !== undefined) {
          this.#breakOff(violation);
        }
      }
    } catch (error) {
      if (!(error instanceof MqttError)) {
        throw error;
      }
      this.#breakOff(error.reasonCode, error);
    }
  }

  #next(): Packet | null {
    return this.ended === undefined ? this.#decoder.next() : null;
  }

  /** Returns the reason code for a packet that breaks the protocol. */
  #receive(packet: Packet): number | undefined {
    // CONNACK comes first, and once.
    if ((packet.type === CONNACK) === this.#accepted) {
      return PROTOCOL_ERROR;
    }
    switch (packet.type) {
      case CONNACK:
        return this.#receiveConnack(packet);
      case SUBACK:
      case UNSUBACK:
        return this.#receiveAnswer(packet);
      case PINGRESP:
        return undefined;
      case DISCONNECT:
        if (packet.properties?.sessionExpiryInterval !== undefined) {
          return PROTOCOL_ERROR;
        }
        this.end(refusedError(packet.reasonCode, packet));
        return undefined;
      default:
        return this.#handler.onPacket(packet);
    }
  }

  #receiveConnack(packet: ConnackPacket): number | undefined {
    const { reasonCode, sessionPresent, properties } = packet;
    const { version, cleanStart, keepAlive } = this.connect;
    if (reasonCode !== 0) {
      this.end(refusedError(version === 5 ? reasonCode : reasonCodeFor(reasonCode), packet));
      return undefined;
    }
    // Neither a session [MQTT-3.2.2-4] nor a method [MQTT-4.12.0-6] that nobody asked for.
    if ((sessionPresent && cleanStart) || properties?.authenticationMethod !== undefined) {
      return PROTOCOL_ERROR;
    }
    this.#accepted = true;
    this.server = properties ?? this.server;
    this.#writer.maximumPacketSize = this.server.maximumPacketSize ?? this.#writer.maximumPacketSize;
    this.#scheduler.clearTimer(this.#timer);
    const keepAliveMs = (this.server.serverKeepAlive ?? keepAlive) * 1000;
    if (keepAliveMs > 0) {
      this.#keepAlive(keepAliveMs);
    }
    this.#handler.onConnack(packet);
    return undefined;
  }

  #receiveAnswer({ type, packetId, reasonCodes }: SubackPacket | UnsubackPacket): number | undefined {
    const request = this.#requests.get(packetId);
    if (request?.answer !== type || reasonCodes.length > 1) {
      return PROTOCOL_ERROR;
    }
    this.#requests.delete(packetId);
    this.#ids.free(packetId);
    // In 3.1.1 UNSUBACK carries no codes.
    request.done(reasonCodes[0] ?? 0);
    return undefined;
  }

  /** A sign of life each time, and the end when nothing has come since the last one. */
  #keepAlive(ms: number): void {
    this.#timer = this.#scheduler.setTimer(() => {
      if (!this.#heard) {
        this.end(lost(`Nothing came from the server for ${ms} ms.`));
        return;
      }
      this.#heard = false;
      this.reply({ type: PINGREQ });
      this.#keepAlive(ms);
    }, ms);
  }

  #breakOff(reasonCode: number, cause?: unknown): void {
    this.end(lost("The server broke the protocol.", { reasonCode, cause }), reasonCode);
  }
}

function notSupported(): ClientError {
  return new ClientError("not-supported-by-server", "The server announced that it does not take this.");
}

function lost(text: string, details?: ClientErrorDetails): ClientError {
  return new ClientError("connection-lost", text, details);
}

function open(Socket: typeof WebSocket, url: string): WebSocket {
  try {
    return new Socket(url, "mqtt");
  } catch (cause) {
    throw invalidArgument(cause);
  }
}
