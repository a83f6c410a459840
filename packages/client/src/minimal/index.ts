import type { Properties, SubscriptionRequest } from "@tidewire/codec";
import { PROTOCOL_ERROR, PUBLISH } from "@tidewire/codec/codes";
import { pageScheduler } from "@tidewire/link/browser";
import { ClientError, closedError } from "../errors/index.ts";
import { connectPacket, randomClientId } from "../handshake/index.ts";
import type { LiteMessage, LiteOptions } from "../lite/index.ts";
import { type Payload, toBytes } from "../messages/index.ts";
import { announced, type Done, HIGH_WATER_MARK, PacketIds, SocketConnection } from "../socket/index.ts";

export type { ClientErrorCode } from "../errors/index.ts";
export { ClientError } from "../errors/index.ts";

/** Options of the lite client, with the same meaning and defaults, and what the connection tells. */
export interface MinimalOptions
  extends Pick<
    LiteOptions,
    | "clientId"
    | "protocolVersion"
    | "keepAlive"
    | "username"
    | "password"
    | "will"
    | "properties"
    | "scheduler"
    | "WebSocket"
    | "connectTimeoutMs"
  > {
  /** Every message received. What it throws goes to the console. */
  readonly onMessage?: (message: LiteMessage) => void;
  /** The connection that `connect` resolved with is over; `error.code` is `closed` after `close()`. */
  readonly onClose?: (error: ClientError) => void;
}

/** One connection, and messages of QoS 0 over it. */
export interface MinimalClient {
  /**
   * Throws when the message cannot be sent: a `ClientError`, or the codec's `MqttError` when it is not valid or too large
   * for the server. The bytes of the payload may not be changed before the end of the turn.
   */
  publish(topic: string, payload: Payload, options?: MinimalPublishOptions): void;
  /** Resolves when the server has granted it; rejects with the same errors. */
  subscribe(filter: string, options?: MinimalSubscribeOptions): Promise<void>;
  /** Resolves at UNSUBACK. */
  unsubscribe(filter: string): Promise<void>;
  /** Ends the connection in order; resolves when it has ended. */
  close(): Promise<void>;
}

export interface MinimalPublishOptions {
  /** Default false. */
  readonly retain?: boolean;
  /** MQTT 5 properties, under their specification names. */
  readonly properties?: Properties;
}

export type MinimalSubscribeOptions = Partial<
  Pick<SubscriptionRequest, "noLocal" | "retainAsPublished" | "retainHandling">
>;

/**
 * Connects once: resolves when the server has accepted, rejects with a `ClientError` when it refuses, does not accept in
 * `connectTimeoutMs` or cannot be reached, and when URL or options are not valid.
 *
 * @example
 * const client = await connect("wss://broker.example/mqtt", { onMessage: ({ topic }) => console.log(topic) });
 */
export async function connect(url: string | URL, options: MinimalOptions = {}): Promise<MinimalClient> {
  const { clientId = randomClientId(), protocolVersion: version = 5, scheduler = pageScheduler() } = options;
  const { onMessage, onClose } = options;
  const fresh = { ...options, cleanStart: true, sessionExpiryInterval: 0 };
  const packet = await connectPacket({ options: fresh, version, limits: announced }, clientId, false);
  return new Promise((resolve, reject) => {
    let closed = reject;
    const connection = new SocketConnection(
      url,
      options,
      packet,
      new PacketIds(),
      {
        onConnack: () => {
          closed = (error) => onClose?.(error);
          resolve(clientOf(connection));
        },
        onPacket: (packet) => {
          // Neither a higher QoS nor an alias was asked for.
          const expected = packet.type === PUBLISH && packet.qos === 0;
          if (!expected || packet.properties?.topicAlias !== undefined) {
            return PROTOCOL_ERROR;
          }
          try {
            onMessage?.(packet);
          } catch (error) {
            console.error(error);
          }
          return undefined;
        },
        onEnd: (error) => closed(error),
      },
      scheduler,
    );
  });
}

function clientOf(connection: SocketConnection): MinimalClient {
  const request = (send: (done: Done) => void): Promise<void> =>
    new Promise((resolve, reject) => {
      if (connection.ended !== undefined) {
        throw connection.ended;
      }
      send((result) => {
        if (typeof result === "object") {
          reject(result);
        } else if (result < 0x80) {
          resolve();
        } else {
          reject(new ClientError("subscribe-refused", "The server refused the filter.", { reasonCode: result }));
        }
      });
    });
  return {
    publish: (topic, payload, { retain = false, properties } = {}) => {
      if (connection.ended !== undefined) {
        throw connection.ended;
      }
      if (connection.pendingBytes > HIGH_WATER_MARK) {
        throw new ClientError("queue-full", "The connection is full.");
      }
      connection.publish({ topic, payload: toBytes(payload), qos: 0, retain, properties }, 0, false);
    },
    subscribe: (filter, { noLocal = false, retainAsPublished = false, retainHandling = 0 } = {}) =>
      request((done) => connection.subscribe({ filter, qos: 0, noLocal, retainAsPublished, retainHandling }, 0, done)),
    unsubscribe: (filter) => request((done) => connection.unsubscribe(filter, done)),
    close: () => {
      connection.end(closedError(), 0);
      return connection.closed;
    },
  };
}
