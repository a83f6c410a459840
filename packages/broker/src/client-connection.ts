import {
  type ConnectPacket,
  type DisconnectPacket,
  type EncodedPacket,
  MqttError,
  type Properties,
  type PublishPacket,
  type QoS,
  type SubscribePacket,
  type UnsubscribePacket,
} from "@tidewire/codec";
import { PACKET_TOO_LARGE } from "@tidewire/codec/codes";
import type { Link, LinkHandler } from "@tidewire/link";
import {
  createServerProtocol,
  type Message,
  outgoingTopicAliases,
  type ProtocolEnd,
  type ServerProtocol,
  type ServerProtocolHandler,
} from "@tidewire/session";
import type { Connection } from "@tidewire/transport";
import type { BrokerSession } from "./broker-session.ts";
import { ConnectFlow } from "./connect-flow.ts";
import type { BrokerContext } from "./context.ts";
import { Delivery } from "./delivery.ts";
import type { ClientInfo } from "./hooks.ts";
import type { IncomingPublication } from "./publication.ts";
import { handlePublish } from "./publish-flow.ts";
import { handleUnsubscribe, SubscribeFlow } from "./subscribe-flow.ts";
import type { RouteTarget } from "./subscription.ts";

/** One network connection: what the session says goes to the broker's parts, what they send goes to the session. */
export class ClientConnection implements ServerProtocolHandler, LinkHandler {
  readonly transport: Connection;
  link!: Link<ServerProtocol>;
  protocol!: ServerProtocol;
  /** From CONNACK on. */
  client: ClientInfo | undefined = undefined;
  brokerSession: BrokerSession | undefined = undefined;
  /** Whether its address has more connections than it may: CONNECT will be refused. */
  crowded = false;

  readonly #context: BrokerContext;
  readonly #onClosed: (connection: ClientConnection) => void;
  #connectFlow: ConnectFlow | undefined = undefined;
  #sending = false;
  #aliases = false;

  constructor(context: BrokerContext, transport: Connection, onClosed: (connection: ClientConnection) => void) {
    this.#context = context;
    this.transport = transport;
    this.#onClosed = onClosed;
    const { limits, loop } = context;
    loop.attach<ServerProtocol>(transport, {
      decoder: { sender: "client", maximumPacketSize: limits.maximumPacketSize },
      createProtocol: (writer, link) => {
        this.link = link;
        this.protocol = createServerProtocol({
          writer,
          handler: this,
          now: loop.now,
          limits: { connectTimeoutMs: limits.connectTimeoutMs },
          topicAliases,
        });
        return this.protocol;
      },
      handler: this,
    });
  }

  /** CONNACK has been sent: messages may go out. */
  ready(): void {
    this.#sending = true;
    this.#aliases = this.protocol.peer.topicAliasMaximum > 0;
    this.#connectFlow = undefined;
  }

  /** Whether a message would leave at once: room on the way, and in the client's window. */
  canSend(qos: 0 | 1 | 2): boolean {
    if (!this.#sending || !(this.link.writable || this.link.pendingBytes < this.#context.limits.sendAheadBytes)) {
      return false;
    }
    return (
      qos === 0 ||
      (this.protocol.sendQuota > 0 && this.brokerSession!.inflight.outgoingCount < this.#context.limits.inflight)
    );
  }

  /** Whether this client gets the bytes that others get: no identifiers and no topic aliases of its own. */
  encodes(target: RouteTarget): boolean {
    return !this.#aliases && (target.identifiers === undefined || this.protocol.version !== 5);
  }

  /** The common case, without an object for it. */
  sendQoS0(publication: IncomingPublication, encoded: EncodedPacket): void {
    this.#send(publication.qos === 0 ? publication : publication.asQoS0(), publication.qos, encoded);
  }

  send(delivery: Delivery, encoded: EncodedPacket | undefined): void {
    this.#send(delivery, delivery.publication.qos, encoded);
    if (delivery.qos > 0) {
      this.#context.storage.commitSoon();
    }
  }

  #send(message: Message, publishedQoS: QoS, encoded: EncodedPacket | undefined): void {
    const { loop, metrics } = this.#context;
    try {
      this.protocol.publish(message, loop.now, encoded);
      if (publishedQoS === 2) {
        // Passed on once [MQTT-4.3.3-1], be it with a lower QoS: its publisher sends again what was not committed.
        this.protocol.promised = true;
      }
    } catch (error) {
      if (!isTooLarge(error)) {
        throw error;
      }
      // As if it had been sent [MQTT-3.1.2-25].
      metrics.droppedTooLarge += 1;
      this.#forget(message);
      return;
    }
    metrics.publishSent += 1;
    metrics.publishBytesSent += message.payload.byteLength;
    this.link.touch();
  }

  /** Ends the connection; MQTT 5 clients are told why. */
  disconnect(reasonCode: number, properties?: Properties): void {
    if (this.protocol.end !== undefined) {
      return;
    }
    if (this.protocol.state === "connected") {
      this.protocol.disconnect(reasonCode, this.#context.loop.now, properties);
      this.link.touch();
    } else if (this.protocol.state === "awaiting-connect") {
      this.link.close();
    } else {
      this.protocol.reject(reasonCode, this.#context.loop.now, properties);
      this.link.touch();
    }
  }

  onConnect(packet: ConnectPacket): void {
    this.#connectFlow = new ConnectFlow(this.#context, this, packet);
    this.#connectFlow.begin();
  }

  onAuth(data: Uint8Array | undefined, method: string, reauthentication: boolean): void {
    this.#connectFlow ??= new ConnectFlow(this.#context, this, this.protocol.connect!);
    this.#connectFlow.step(data, method, reauthentication);
  }

  onPublish(packet: PublishPacket): void {
    handlePublish(this.#context, this, packet);
  }

  onSubscribe(packet: SubscribePacket): void {
    new SubscribeFlow(this.#context, this, packet).run();
  }

  onUnsubscribe(packet: UnsubscribePacket): void {
    handleUnsubscribe(this.#context, this, packet);
  }

  onSettled(): void {
    this.#context.storage.commitSoon();
    this.brokerSession!.drain();
  }

  onSendQuota(): void {
    this.brokerSession!.drain();
  }

  onWritable(): void {
    this.brokerSession?.drain();
  }

  onDisconnect(packet: DisconnectPacket): void {
    this.#context.sessions.clientDisconnects(this.brokerSession!, packet);
  }

  onEnd(end: ProtocolEnd): void {
    const { metrics } = this.#context;
    this.#sending = false;
    if (end.kind === "violation") {
      metrics.protocolErrors += 1;
    } else if (end.kind === "timeout") {
      metrics.keepAliveTimeouts += 1;
    }
    if (this.brokerSession !== undefined) {
      this.#context.sessions.connectionEnded(this, this.brokerSession, end.reasonCode);
    }
  }

  onClosed(): void {
    this.#onClosed(this);
  }

  /** A queued message left the queue in memory when it was handed over; the store may have it still. */
  #forget(message: Message): void {
    if (message instanceof Delivery && message.qos > 0) {
      this.brokerSession!.store.dequeue(this.brokerSession!.clientId, message.sequence);
    }
  }
}

/** One for all connections. */
const topicAliases = outgoingTopicAliases();

/** Larger than the client takes; other failures are this side's own. */
function isTooLarge(error: unknown): boolean {
  return error instanceof MqttError && error.reasonCode === PACKET_TOO_LARGE;
}
