import type { ConnectPacket, Properties } from "@tidewire/codec";
import {
  BAD_AUTHENTICATION_METHOD,
  CLIENT_IDENTIFIER_NOT_VALID,
  CONNECTION_RATE_EXCEEDED,
  NOT_AUTHORIZED,
  QOS_NOT_SUPPORTED,
  RETAIN_NOT_SUPPORTED,
  SERVER_UNAVAILABLE,
  TOPIC_NAME_INVALID,
  UNSPECIFIED_ERROR,
} from "@tidewire/codec/codes";
import type { ClientConnection } from "./client-connection.ts";
import type { BrokerContext } from "./context.ts";
import {
  type AuthenticateAccepted,
  type AuthenticateResult,
  type AuthenticationAnswer,
  type ConnectRequest,
  type Refusal,
  refusalProperties,
} from "./hooks.ts";
import type { BrokerLimits } from "./limits.ts";
import { awaitHook } from "./pending.ts";
import { acceptsTopic } from "./publish-flow.ts";

/** A client's way from CONNECT to CONNACK, by way of whatever AUTH packets its method needs. */
export class ConnectFlow {
  readonly #context: BrokerContext;
  readonly #connection: ClientConnection;
  readonly #packet: ConnectPacket;
  /** What the authentication hook keeps between steps. */
  #memory: Map<string, unknown> | undefined;

  constructor(context: BrokerContext, connection: ClientConnection, packet: ConnectPacket) {
    this.#context = context;
    this.#connection = connection;
    this.#packet = packet;
  }

  begin(): void {
    const packet = this.#packet;
    if (this.#connection.crowded || !this.#context.sessions.mayConnect()) {
      this.#refuse({ reasonCode: CONNECTION_RATE_EXCEEDED });
      return;
    }
    const reasonCode = unacceptable(packet, this.#context.limits);
    if (reasonCode !== 0) {
      this.#refuse({ reasonCode });
      return;
    }
    const method = packet.properties?.authenticationMethod;
    if (method !== undefined) {
      this.step(packet.properties?.authenticationData, method, false);
      return;
    }
    const { authenticate } = this.#context.hooks;
    if (authenticate === undefined) {
      this.#open({});
      return;
    }
    const { clientId, version, username, password } = packet;
    const request: ConnectRequest = {
      clientId,
      version,
      username,
      password,
      connection: this.#connection.transport.info,
      packet,
      sessionUser: () => this.#context.sessions.get(clientId)?.username,
    };
    awaitHook<AuthenticateResult>(
      this.#context,
      this.#connection,
      "authenticate",
      () => authenticate.call(this.#context.hooks, request),
      (result) => this.#authenticated(result),
    );
  }

  step(data: Uint8Array | undefined, method: string, reauthentication: boolean): void {
    const { authenticateStep } = this.#context.hooks;
    if (authenticateStep === undefined) {
      this.#refuse({ reasonCode: BAD_AUTHENTICATION_METHOD });
      return;
    }
    this.#memory ??= new Map();
    const memory = this.#memory;
    const clientId = this.#connection.client?.clientId ?? this.#packet.clientId;
    const connection = this.#connection.transport.info;
    awaitHook<AuthenticationAnswer>(
      this.#context,
      this.#connection,
      "authenticateStep",
      () =>
        authenticateStep.call(this.#context.hooks, { method, data, reauthentication, clientId, connection, memory }),
      (answer) => this.#answer(answer, reauthentication),
    );
  }

  #authenticated(result: AuthenticateResult | undefined): void {
    if (result === undefined) {
      this.#refuse({ reasonCode: UNSPECIFIED_ERROR });
    } else if (result === false) {
      this.#refuse({ reasonCode: NOT_AUTHORIZED });
    } else if (result !== true && "reasonCode" in result) {
      this.#refuse(result);
    } else {
      this.#open(result === true ? {} : result);
    }
  }

  #answer(answer: AuthenticationAnswer | undefined, reauthentication: boolean): void {
    const { protocol } = this.#connection;
    const now = this.#context.loop.now;
    if (answer === undefined) {
      this.#refuse({ reasonCode: UNSPECIFIED_ERROR });
    } else if (answer.outcome === "refuse") {
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
    const { sessions, cluster } = this.#context;
    const assigned = this.#packet.clientId === "";
    const clientId = assigned ? `tidewire-${crypto.randomUUID()}` : this.#packet.clientId;
    const go = (): void => {
      const properties = this.#connackProperties(accepted);
      if (assigned) {
        properties.assignedClientIdentifier = clientId;
      }
      if (authenticationData !== undefined) {
        properties.authenticationData = authenticationData;
      }
      const username = accepted.username ?? this.#packet.username;
      sessions.connect(this.#connection, this.#packet, clientId, username, properties);
    };
    const claim = cluster.claim(clientId);
    if (claim === undefined) {
      go();
      return;
    }
    const { link, protocol } = this.#connection;
    link.pause();
    claim
      .then(
        () => protocol.end === undefined && go(),
        (error: unknown) => {
          this.#context.logger.error("no node could claim the session", error);
          this.#refuse({ reasonCode: SERVER_UNAVAILABLE });
        },
      )
      .finally(() => {
        link.touch();
        link.resume();
      });
  }

  #connackProperties(accepted: AuthenticateAccepted): Properties {
    const { limits } = this.#context;
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

  #refuse(refusal: Refusal): void {
    if (this.#connection.protocol.end !== undefined) {
      return;
    }
    this.#context.metrics.connectionsRefused += 1;
    this.#connection.protocol.reject(refusal.reasonCode, this.#context.loop.now, refusalProperties(refusal));
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
  const { clientId, will } = packet;
  // Only MQTT 5 can tell the client which id it was given [MQTT-3.1.3-8 of 3.1.1].
  if (clientId.length > limits.clientIdLength || (clientId === "" && packet.version !== 5 && !packet.cleanStart)) {
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
  return acceptsTopic(will.topic, limits) ? 0 : TOPIC_NAME_INVALID;
}
