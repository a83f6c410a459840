import type { ConnectPacket, ProtocolVersion, Will } from "@tidewire/codec";
import { CONNECT } from "@tidewire/codec/codes";
import type { ClientLimits } from "../limits.ts";
import { toBytes } from "../messages/index.ts";
import type { ConnectOptions, WillOptions } from "./connect-options.ts";

/** What CONNECT is made of: of a whole or of a lite client. */
interface Connecting {
  readonly options: ConnectOptions;
  readonly version: ProtocolVersion;
  readonly limits: Pick<ClientLimits, "receiveMaximum" | "maximumPacketSize" | "topicAliasMaximum">;
}

/** CONNECT for the next attempt; `resume`: this client has begun a session before. Asks for the credentials anew. */
export async function connectPacket(client: Connecting, clientId: string, resume: boolean): Promise<ConnectPacket> {
  const { version, limits, options } = client;
  const { sessionExpiryInterval, will, credentials } = options;
  const { username, password } = (await credentials?.()) ?? options;
  const cleanStart = options.cleanStart ?? isTransient(client);
  return {
    type: CONNECT,
    version,
    bridge: false,
    clientId,
    // In 3.1.1 the flag also says that the session ends with the connection, so it stays the same.
    cleanStart: cleanStart && !(resume && version === 5),
    keepAlive: options.keepAlive ?? defaultKeepAlive,
    will: will && willOf(will, version),
    username,
    password: bytesOf(password),
    properties:
      version === 5
        ? {
            sessionExpiryInterval: sessionExpiryInterval ?? defaultSessionExpiry,
            receiveMaximum: limits.receiveMaximum,
            maximumPacketSize: limits.maximumPacketSize,
            topicAliasMaximum: limits.topicAliasMaximum,
            ...options.properties,
          }
        : undefined,
  };
}

/** Nobody asked for the session to be kept beyond the life of this client. */
export function isTransient({ options }: Pick<Connecting, "options">): boolean {
  return options.sessionExpiryInterval === undefined && options.store === undefined;
}

/** Seconds the server keeps the session, unless the caller has a say: long enough for a tunnel or a restart. */
const defaultSessionExpiry = 300;

/** Seconds: found out within a minute and a half, at a cost of four bytes a minute. */
const defaultKeepAlive = 60;

/** Text as bytes, and all else as it is: whether that is right is asked of the whole packet. */
function bytesOf(value: string | Uint8Array | undefined): Uint8Array | undefined {
  return typeof value === "string" ? toBytes(value) : value;
}

function willOf({ topic, payload, qos = 0, retain = false, delay, properties }: WillOptions, version: number): Will {
  const withDelay = delay === undefined ? properties : { ...properties, willDelayInterval: delay };
  return {
    topic,
    payload: bytesOf(payload) as Uint8Array,
    qos,
    retain,
    properties: version === 5 ? withDelay : undefined,
  };
}
