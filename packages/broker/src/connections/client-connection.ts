import {
  type ConnectPacket,
  type DisconnectPacket,
  type EncodedPacket,
  MqttError,
  type PublishPacket,
  type QoS,
  reasonCodes,
  type SubscribePacket,
  type UnsubscribePacket,
} from "@tidewire/codec";
import { CONNACK, PACKET_TOO_LARGE, SERVER_UNAVAILABLE, SESSION_TAKEN_OVER } from "@tidewire/codec/codes";
import type { Link, LinkHandler, LinkLoop } from "@tidewire/link";
import {
  createServerProtocol,
  type Message,
  outgoingTopicAliases,
  type ProtocolEnd,
  type ServerProtocol,
  type ServerProtocolHandler,
  SessionError,
} from "@tidewire/session";
import type { Connection, TransportErrorCode } from "@tidewire/transport";
import type { ClientInfo } from "../hooks/index.ts";
import type { BrokerLimits } from "../limits.ts";
import { Delivery, type IncomingPublication } from "../messages/index.ts";
import type { NoticeSubject } from "../notices/index.ts";
import type { RouteTarget } from "../routing/index.ts";
import type { OpenedSession, Session, SessionConnection, Sessions } from "../sessions/index.ts";
import type { Storage } from "../storage/index.ts";
import type { Steps, Work } from "../work/index.ts";
import type { ConnectedClient } from "./client.ts";
import { ConnectFlow, type ConnectingClient, type ConnectNeeds } from "./connect-flow.ts";
import type { Gatekeeper } from "./gatekeeper.ts";
import { handlePublish, type PublishNeeds } from "./publish-flow.ts";
import { SubscribeFlow, type SubscribeNeeds, UnsubscribeFlow } from "./subscribe-flow.ts";

/** What a client's connection needs of its broker. */
export type ConnectionNeeds = ConnectNeeds &
  PublishNeeds &
  SubscribeNeeds & {
    readonly loop: LinkLoop;
    readonly sessions: Pick<Sessions, "accepted" | "clientDisconnects" | "connected" | "connectionEnded" | "open">;
    readonly storage: Pick<Storage, "commitSoon">;
    readonly work: Pick<Work, "exhausted" | "overdrawn" | "spend" | "spent" | "start">;
    /** Told of a failure of this side that ends one connection. */
    readonly onFailure: (error: unknown) => void;
  };

/** One network connection: what the protocol says goes to the broker's parts, what they send goes to the protocol. */
export class ClientConnection
  implements ServerProtocolHandler, LinkHandler, ConnectingClient, ConnectedClient, SessionConnection
{
  readonly transport: Connection;
  link!: Link<ServerProtocol>;
  protocol!: ServerProtocol;
  /** Both from CONNACK on, before which nobody asks for them. */
  info!: ClientInfo;
  session!: Session;
  readonly #needs: ConnectionNeeds;
  readonly #gatekeeper: Gatekeeper<ClientConnection>;
  #connectFlow: ConnectFlow | undefined = undefined;
  #sending = false;
  #aliases = false;

  constructor(needs: ConnectionNeeds, transport: Connection, gatekeeper: Gatekeeper<ClientConnection>) {
    this.#needs = needs;
    this.transport = transport;
    this.#gatekeeper = gatekeeper;
    const { limits, loop } = needs;
    loop.attach<ServerProtocol>(transport, {
      decoder: { sender: "client", maximumPacketSize: Math.min(limits.connectPacketSize, limits.maximumPacketSize) },
      createProtocol: (writer, link) => {
        this.link = link;
        this.protocol = createServerProtocol({
          writer,
          handler: this,
          now: loop.now,
          limits: { connectTimeoutMs: limits.connectTimeoutMs, clientIdLength: limits.clientIdLength31 },
          topicAliases,
        });
        return this.protocol;
      },
      handler: this,
    });
  }

  enter(packet: ConnectPacket, info: ClientInfo): OpenedSession | number {
    const { sessions } = this.#needs;
    const opened = sessions.open(packet, info);
    if (typeof opened !== "number") {
      this.info = info;
      this.session = opened.session;
      sessions.connected(opened.session, this, info);
    }
    return opened;
  }

  signInFailed(): void {
    this.#gatekeeper.failed(this);
  }

  ready(): void {
    const { limits } = this.#needs;
    this.link.limitPackets(limits.maximumPacketSize);
    this.transport.allowInput(inputBytes(limits));
    this.#sending = true;
    this.#aliases = this.protocol.peer.topicAliasMaximum > 0;
    this.#connectFlow = undefined;
  }

  wait<Answer>(answer: Promise<Answer>, goOn: (answer: Answer) => void): void {
    this.link.pause();
    answer
      .then((settled) => {
        if (this.protocol.end === undefined) {
          goOn(settled);
        }
      })
      .catch((error: unknown) => this.fail(error))
      .finally(() => {
        this.link.touch();
        this.link.resume();
      })
      .catch(this.#needs.onFailure);
  }

  rest(goOn: (steps: Steps) => void): void {
    this.link.pause();
    this.#needs.work.start({
      work: (steps) => {
        try {
          if (this.protocol.end === undefined) {
            goOn(steps);
          }
        } catch (error) {
          this.fail(error);
        }
        this.link.touch();
        this.link.resume();
        return true;
      },
    });
  }

  fail(error: unknown): void {
    this.#needs.onFailure(error);
    try {
      const cause =
        error instanceof Error ? error : new Error("Something other than an Error was thrown.", { cause: error });
      this.protocol.fail(cause, this.#needs.loop.now);
      this.link.touch();
    } catch (second) {
      this.#needs.onFailure(second);
      this.link.abort();
    }
  }

  /** Whether a message would leave at once: room on the way, and in the client's window. */
  canSend(qos: 0 | 1 | 2): boolean {
    if (!this.#sending || !(this.link.writable || this.link.pendingBytes < this.#needs.limits.sendAheadBytes)) {
      return false;
    }
    return (
      qos === 0 || (this.protocol.sendQuota > 0 && this.session.inflight.outgoingCount < this.#needs.limits.inflight)
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
      this.#needs.storage.commitSoon();
    }
  }

  #send(message: Message, publishedQoS: QoS, encoded: EncodedPacket | undefined): void {
    const { loop, metrics } = this.#needs;
    try {
      this.protocol.publish(message, loop.now, encoded);
      if (publishedQoS === 2) {
        // Passed on once [MQTT-4.3.3-1], be it with a lower QoS: its publisher sends again what was not committed.
        this.protocol.promised = true;
      }
    } catch (error) {
      if (!isTooLarge(error)) {
        // Nobody else's fault than this connection's: whoever published it goes on.
        metrics.droppedFailed += 1;
        this.fail(error);
        return;
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
  disconnect(reasonCode: number, why: string | undefined): void {
    if (this.protocol.end !== undefined) {
      return;
    }
    if (why !== undefined) {
      const kind = reasonCode === SESSION_TAKEN_OVER ? "taken-over" : "disconnected";
      this.#needs.notices.tell(kind, { ...this.#subject(), reasonCode }, why);
    }
    if (this.protocol.state === "connected") {
      this.protocol.disconnect(reasonCode, this.#needs.loop.now);
      this.link.touch();
    } else if (this.protocol.state === "awaiting-connect") {
      this.link.close();
    } else {
      // Whoever still waits for CONNACK gets a code that it can carry [MQTT-3.2.2-8].
      const refusal = CONNACK_CODES.has(reasonCode) ? reasonCode : SERVER_UNAVAILABLE;
      this.protocol.reject(refusal, this.#needs.loop.now);
      this.link.touch();
    }
  }

  onConnect(packet: ConnectPacket): void {
    const rejection = this.#gatekeeper.speaks(this);
    this.#connectFlow = new ConnectFlow(this.#needs, this, packet);
    this.#connectFlow.begin(rejection);
  }

  onAuth(data: Uint8Array | undefined, method: string, reauthentication: boolean): void {
    this.#connectFlow ??= new ConnectFlow(this.#needs, this, this.protocol.connect!);
    this.#connectFlow.step(data, method, reauthentication);
  }

  onPublish(packet: PublishPacket): void {
    handlePublish(this.#needs, this, packet);
  }

  onSubscribe(packet: SubscribePacket): void {
    new SubscribeFlow(this.#needs, this, packet).run();
  }

  onUnsubscribe(packet: UnsubscribePacket): void {
    new UnsubscribeFlow(this.#needs, this, packet).run();
  }

  onSettled(): void {
    this.#needs.storage.commitSoon();
    this.session.pump();
  }

  onSendQuota(): void {
    this.session.pump();
  }

  onWritable(): void {
    if (this.#sending) {
      this.session.pump();
    }
  }

  onDisconnect(packet: DisconnectPacket): void {
    this.#needs.sessions.clientDisconnects(this.session, packet);
  }

  onEnd(end: ProtocolEnd): void {
    const { metrics, notices } = this.#needs;
    this.#sending = false;
    this.#connectFlow?.abandon();
    if (end.kind === "violation") {
      metrics.protocolErrors += 1;
    } else if (end.kind === "timeout") {
      metrics.keepAliveTimeouts += 1;
    }
    if (end.error !== undefined && (end.kind === "violation" || end.kind === "timeout" || isGivenUp(end))) {
      notices.tell("disconnected", { ...this.#subject(), reasonCode: end.reasonCode }, end.error.message);
    }
    if (this.session !== undefined) {
      this.#needs.sessions.connectionEnded(this, this.session, end.reasonCode);
    }
  }

  /**
   * Nobody checks who a client is whose connection broke. One that closed it in order may have sent all it had to say behind
   * its CONNECT, without waiting for an answer (MQTT 5.0, 3.1.4).
   */
  onHangup(error: Error | undefined): "drop" | "read" {
    return error === undefined || this.protocol.state === "connected" ? "read" : "drop";
  }

  onClosed(): void {
    this.#gatekeeper.closed(this);
  }

  /** Also of a client that is not connected yet, or only by name. */
  #subject(): NoticeSubject {
    const { clientId, username } = this.info ?? this.protocol.connect ?? {};
    return { clientId, username, address: this.transport.info.remoteAddress };
  }

  /** A queued message left the queue in memory when it was handed over; the store may have it still. */
  #forget(message: Message): void {
    if (message instanceof Delivery && message.qos > 0) {
      this.session.store.dequeue(this.session.clientId, message.sequence);
    }
  }
}

/**
 * What a known client may leave unfinished: its largest packet, or a message of many packets, which clients fill up to
 * 1 MiB; and frames and the rest of a chunk.
 */
function inputBytes(limits: BrokerLimits): number {
  return Math.max(limits.maximumPacketSize, 1_048_576) + 65_536;
}

/** This side gave the peer up: it takes no bytes, or no packet as large as its answer; or broke the rules of its transport. */
function isGivenUp({ error, kind }: ProtocolEnd): boolean {
  if (error instanceof SessionError) {
    return error.code === "stalled" || error.code === "packet-too-large";
  }
  return kind === "lost" && TRANSPORT_RULES.has((error as { code?: unknown } | undefined)?.code as TransportErrorCode);
}

/** Those of WebSockets: a message that is too big, text, frames that are none, a ping that was not answered. */
const TRANSPORT_RULES: ReadonlySet<TransportErrorCode> = new Set<TransportErrorCode>([
  "input-limit",
  "message-too-big",
  "protocol",
  "text-frame",
  "timeout",
]);

/** One for all connections. */
const topicAliases = outgoingTopicAliases();

/** What CONNACK can carry. */
const CONNACK_CODES: ReadonlySet<number> = new Set(
  reasonCodes.filter(([, both, server]) => ((both | server) & (1 << CONNACK)) !== 0).map(([code]) => code),
);

/** Larger than the client takes; other failures are this side's own. */
function isTooLarge(error: unknown): boolean {
  return error instanceof MqttError && error.reasonCode === PACKET_TOO_LARGE;
}
