import { type ConnectPacket, PacketType, type Properties, type Will } from "@tidewire/codec";
import type { ClientLimits } from "./limits.ts";
import type { ConnectOptions, Credentials, WillOptions } from "./options.ts";
import { toBytes } from "./payload.ts";

/** What of CONNECT changes from attempt to attempt. */
export interface ConnectState {
  readonly clientId: string;
  readonly cleanStart: boolean;
  readonly credentials: Credentials;
}

export function connectPacket(options: ConnectOptions, limits: ClientLimits, state: ConnectState): ConnectPacket {
  const version = options.protocolVersion ?? 5;
  const { username, password } = state.credentials;
  return {
    type: PacketType.CONNECT,
    version,
    clientId: state.clientId,
    cleanStart: state.cleanStart,
    keepAlive: options.keepAlive ?? defaultKeepAlive,
    will: options.will && will(options.will, version),
    username,
    password: password === undefined ? undefined : toBytes(password),
    properties: version === 5 ? properties(options, limits) : undefined,
  };
}

/** Seconds the server keeps the session, unless the caller has a say: long enough for a tunnel or a restart. */
export const defaultSessionExpiry = 300;

/** Seconds: found out within a minute and a half, at a cost of four bytes a minute. */
const defaultKeepAlive = 60;

function properties(options: ConnectOptions, limits: ClientLimits): Properties {
  return {
    sessionExpiryInterval: options.sessionExpiryInterval ?? defaultSessionExpiry,
    receiveMaximum: limits.receiveMaximum,
    maximumPacketSize: limits.maximumPacketSize,
    topicAliasMaximum: limits.topicAliasMaximum,
    ...options.properties,
  };
}

function will(options: WillOptions, version: number): Will {
  const { topic, payload, qos = 0, retain = false, delay, properties } = options;
  const withDelay = delay === undefined ? properties : { ...properties, willDelayInterval: delay };
  return { topic, payload: toBytes(payload), qos, retain, properties: version === 5 ? withDelay : undefined };
}
