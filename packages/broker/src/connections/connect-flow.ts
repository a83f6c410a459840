import type { ConnectPacket, Properties } from "@tidewire/codec";
import {
  BAD_AUTHENTICATION_METHOD,
  CLIENT_IDENTIFIER_NOT_VALID,
  CONNECTION_RATE_EXCEEDED,
  QOS_NOT_SUPPORTED,
  RETAIN_NOT_SUPPORTED,
  SERVER_UNAVAILABLE,
} from "@tidewire/codec/codes";
import type { LinkLoop } from "@tidewire/link";
import type { ClusterBackend } from "../cluster/index.ts";
import {
  type Admission,
  type AuthenticateAccepted,
  type AuthenticationAnswer,
  type Authority,
  type ClientInfo,
  type ConnectRequest,
  type EventHub,
  isRefusal,
  type Refusal,
  refusalProperties,
} from "../hooks/index.ts";
import type { BrokerLimits } from "../limits.ts";
import type { BrokerLogger } from "../logger.ts";
import type { MetricsRecorder } from "../metrics/index.ts";
import type { Notices } from "../notices/index.ts";
import type { OpenedSession, Sessions } from "../sessions/index.ts";
import type { Client } from "./client.ts";
import type { Rejection } from "./gatekeeper.ts";
import { reasonText } from "./notice-subject.ts";
import type { RateLimit } from "./rate-limit.ts";
import { topicRefusal } from "./topic-limits.ts";

/** What a client's way in needs of a broker. */
export interface ConnectNeeds {
  readonly authority: Pick<Authority, "authenticate" | "authenticateStep" | "connected" | "hasSteps">;
  readonly cluster: Pick<ClusterBackend, "claim">;
  readonly connectRate: RateLimit;
  readonly events: Pick<EventHub, "emit">;
  readonly limits: BrokerLimits;
  readonly logger: BrokerLogger;
  readonly loop: Pick<LinkLoop, "now">;
  readonly metrics: MetricsRecorder;
  readonly notices: Notices;
  readonly sessions: Pick<Sessions, "accepted">;
}

/** The connection of a client that is on its way in. */
export interface ConnectingClient extends Client {
  /** Of a client that proves itself anew. */
  readonly info: ClientInfo | undefined;
  /** It could not prove who it is. */
  signInFailed(): void;
  /** Takes the session for this client into the connection; else returns the reason code why it gets none. */
  enter(packet: ConnectPacket, info: ClientInfo): OpenedSession | number;
  /** CONNACK has been sent: messages may go out. */
  ready(): void;
}

/** A client's way from CONNECT to CONNACK, by way of whatever AUTH packets its method needs. */
export class ConnectFlow {
  readonly #needs: ConnectNeeds;
  readonly #client: ConnectingClient;
  readonly #packet: ConnectPacket;
  /** What the authentication hook keeps between steps. */
  #memory: Map<string, unknown> | undefined;
  #gone: AbortController | undefined;

  constructor(needs: ConnectNeeds, client: ConnectingClient, packet: ConnectPacket) {
    this.#needs = needs;
    this.#client = client;
    this.#packet = packet;
  }

  /** `rejection`: there is no room for it. */
  begin(rejection: Rejection | undefined): void {
    const packet = this.#packet;
    const { authority, connectRate, limits, loop } = this.#needs;
    if (rejection !== undefined) {
      this.#refuse({ reasonCode: rejection.reasonCode }, rejection.why);
      return;
    }
    if (!connectRate.take(loop.now)) {
      this.#refuse({ reasonCode: CONNECTION_RATE_EXCEEDED }, "too many clients connect at once");
      return;
    }
    const reasonCode = unacceptable(packet, limits);
    if (reasonCode !== 0) {
      this.#refuse({ reasonCode });
      return;
    }
    const method = packet.properties?.authenticationMethod;
    if (method !== undefined) {
      this.step(packet.properties?.authenticationData, method, false);
      return;
    }
    const admission = authority.authenticate(this.#request());
    if (admission instanceof Promise) {
      this.#client.wait(admission, (later) => this.#admit(later));
    } else {
      this.#admit(admission);
    }
  }

  step(data: Uint8Array | undefined, method: string, reauthentication: boolean): void {
    const { authority } = this.#needs;
    if (!authority.hasSteps) {
      this.#refuse({ reasonCode: BAD_AUTHENTICATION_METHOD });
      return;
    }
    this.#memory ??= new Map();
    const memory = this.#memory;
    const clientId = this.#client.info?.clientId ?? this.#packet.clientId;
    const connection = this.#client.transport.info;
    const answer = authority.authenticateStep({ method, data, reauthentication, clientId, connection, memory });
    if (answer instanceof Promise) {
      this.#client.wait(answer, (later) => this.#answer(later, reauthentication));
    } else {
      this.#answer(answer, reauthentication);
    }
  }

  /** The connection is over: whoever is still at work for it may stop. */
  abandon(): void {
    this.#gone?.abort();
  }

  #request(): ConnectRequest {
    const { clientId, version, username, password } = this.#packet;
    const gone = (): AbortController => {
      this.#gone ??= new AbortController();
      return this.#gone;
    };
    return {
      clientId,
      version,
      username,
      password,
      connection: this.#client.transport.info,
      packet: this.#packet,
      // Made for those who ask: most checks are over at once.
      get signal() {
        return gone().signal;
      },
    };
  }

  #admit(admission: Admission): void {
    if (isRefusal(admission)) {
      this.#client.signInFailed();
      this.#refuse(admission);
    } else {
      this.#open(admission);
    }
  }

  #answer(answer: AuthenticationAnswer, reauthentication: boolean): void {
    const { protocol } = this.#client;
    const { now } = this.#needs.loop;
    if (answer.outcome === "refuse") {
      this.#client.signInFailed();
      this.#refuse(answer);
    } else if (answer.outcome === "continue") {
      protocol.authContinue(answer.data, now);
    } else if (reauthentication) {
      this.#memory = undefined;
      protocol.authSuccess(answer.data, now);
    } else {
      const { username, data } = answer;
      this.#open(username === undefined ? {} : { username }, data);
    }
  }

  #open(accepted: AuthenticateAccepted, authenticationData?: Uint8Array): void {
    const { cluster, logger } = this.#needs;
    const clientId = this.#packet.clientId === "" ? `tidewire-${crypto.randomUUID()}` : this.#packet.clientId;
    const claim = cluster.claim(clientId);
    if (claim === undefined) {
      this.#welcome(clientId, accepted, authenticationData);
      return;
    }
    const claimed = claim.then(
      () => true,
      (error: unknown) => {
        logger.error("no node could claim the session", error);
        return false;
      },
    );
    this.#client.wait(claimed, (isOurs) => {
      if (isOurs) {
        this.#welcome(clientId, accepted, authenticationData);
      } else {
        this.#refuse({ reasonCode: SERVER_UNAVAILABLE });
      }
    });
  }

  /** An authenticated client gets its session, old or new, and its CONNACK. */
  #welcome(clientId: string, accepted: AuthenticateAccepted, authenticationData: Uint8Array | undefined): void {
    const { version } = this.#packet;
    const username = accepted.username ?? this.#packet.username;
    const { bridge } = this.#packet;
    const info: ClientInfo = { clientId, version, username, connection: this.#client.transport.info, bridge };
    const opened = this.#client.enter(this.#packet, info);
    if (typeof opened === "number") {
      this.#refuse({ reasonCode: opened });
      return;
    }
    const properties = this.#connackProperties(accepted);
    if (clientId !== this.#packet.clientId) {
      properties.assignedClientIdentifier = clientId;
    }
    if (authenticationData !== undefined) {
      properties.authenticationData = authenticationData;
    }
    const judged = opened.session.judgeInflight();
    if (judged === undefined) {
      this.#accept(opened, info, properties);
    } else {
      this.#client.wait(judged, () => this.#accept(opened, info, properties));
    }
  }

  #accept({ session, sessionPresent }: OpenedSession, info: ClientInfo, properties: Properties): void {
    const { authority, events, loop, sessions } = this.#needs;
    const { protocol } = this.#client;
    sessions.accepted(session, this.#packet.will);
    protocol.accept({ inflight: session.inflight, sessionPresent, properties }, loop.now);
    // The client may take no packet as large as its CONNACK.
    if (protocol.end !== undefined) {
      return;
    }
    this.#client.ready();
    authority.connected(info, sessionPresent);
    events.emit("clientConnected", { client: info, sessionPresent });
    session.pump();
  }

  #connackProperties(accepted: AuthenticateAccepted): Properties {
    const { limits } = this.#needs;
    const properties: Properties = {
      receiveMaximum: limits.receiveMaximum,
      maximumPacketSize: limits.maximumPacketSize,
    };
    if (limits.topicAliasMaximum > 0) {
      properties.topicAliasMaximum = limits.topicAliasMaximum;
    }
    if (limits.maximumQoS < 2) {
      properties.maximumQoS = limits.maximumQoS as 0 | 1;
    }
    for (const name of FEATURES) {
      if (!limits[name]) {
        properties[name] = false;
      }
    }
    const asked = this.#packet.properties?.sessionExpiryInterval ?? 0;
    if (asked > limits.sessionExpirySeconds) {
      properties.sessionExpiryInterval = limits.sessionExpirySeconds;
    }
    const { keepAlive } = this.#packet;
    if (limits.keepAliveSeconds > 0 && (keepAlive === 0 || keepAlive > limits.keepAliveSeconds)) {
      properties.serverKeepAlive = limits.keepAliveSeconds;
    }
    if (accepted.responseInformation !== undefined) {
      properties.responseInformation = accepted.responseInformation;
    }
    return properties;
  }

  #refuse(refusal: Refusal, why: string | undefined = refusal.reasonString): void {
    if (this.#client.protocol.end !== undefined) {
      return;
    }
    this.#needs.metrics.connectionsRefused += 1;
    const { clientId, username } = this.#packet;
    const { reasonCode } = refusal;
    const subject = { clientId, username, address: this.#client.transport.info.remoteAddress, reasonCode };
    const code = reasonText(reasonCode);
    this.#needs.notices.tell("refused", subject, why === undefined ? code : `${why} (${code})`);
    this.#client.protocol.reject(refusal.reasonCode, this.#needs.loop.now, refusalProperties(refusal));
  }
}

/** Announced where they are missing: everything is available by default (MQTT 5.0, 3.2.2.3). */
const FEATURES = [
  "retainAvailable",
  "wildcardSubscriptionAvailable",
  "sharedSubscriptionAvailable",
  "subscriptionIdentifierAvailable",
] as const;

/** Reason code for what no authentication can make right; 0 for nothing. */
function unacceptable(packet: ConnectPacket, limits: BrokerLimits): number {
  const { will } = packet;
  if (!isClientIdValid(packet, limits)) {
    return CLIENT_IDENTIFIER_NOT_VALID;
  }
  if (will === undefined) {
    return 0;
  }
  if (will.qos > limits.maximumQoS) {
    return QOS_NOT_SUPPORTED;
  }
  if (will.retain && !limits.retainAvailable) {
    return RETAIN_NOT_SUPPORTED;
  }
  return topicRefusal(will.topic, limits, packet);
}

/** The shorter limit of MQTT 3.1 is its protocol's. */
function isClientIdValid({ clientId, version, cleanStart }: ConnectPacket, limits: BrokerLimits): boolean {
  // Only MQTT 5 can tell the client which id it was given [MQTT-3.1.3-8 of 3.1.1].
  return clientId === "" ? version === 5 || cleanStart : clientId.length <= limits.clientIdLength;
}
