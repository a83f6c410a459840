import type { MqttVersion } from "../case.ts";
import type { Property, PropertyName, WirePacket } from "../wire/index.ts";
import * as wire from "../wire/index.ts";

/** The PUBLISH with some of its fields changed. */
export function publishWith(
  packet: WirePacket,
  version: MqttVersion,
  changes: Partial<wire.PublishOptions>,
): Uint8Array {
  const { topic, payload, qos, retain, dup, properties } = packet;
  const packetId = qos > 0 ? { packetId: packet.packetId } : {};
  return wire.publish(version, { topic, payload, qos, retain, dup, properties, ...packetId, ...changes });
}

/** The CONNECT with some of its options changed. */
export function connectWith(
  packet: WirePacket,
  version: MqttVersion,
  change: (options: wire.ConnectOptions) => wire.ConnectOptions,
): readonly Uint8Array[] | undefined {
  const fields = packet.connect;
  if (fields === undefined || packet.problem !== undefined || packet.flags !== 0) {
    return undefined;
  }
  const { flags, willTopic } = fields;
  return [
    wire.connect(version, {
      flags,
      ...change({
        clientId: fields.clientId,
        keepAlive: fields.keepAlive,
        protocolName: fields.protocolName,
        protocolLevel: fields.protocolLevel,
        properties: packet.properties,
        ...(willTopic === undefined
          ? {}
          : {
              will: {
                topic: willTopic,
                payload: fields.willPayload ?? "",
                qos: (flags >>> 3) & 3,
                retain: (flags & 0x20) !== 0,
                properties: fields.willProperties,
              },
            }),
        ...(fields.username === undefined ? {} : { username: fields.username }),
        ...(fields.password === undefined ? {} : { password: fields.password }),
      }),
    }),
  ];
}

/** The SUBSCRIBE with other options bytes. */
export function subscribeWith(
  packet: WirePacket,
  version: MqttVersion,
  options: (options: number) => number,
): readonly Uint8Array[] {
  const subscriptions = packet.filters.map(
    (filter, index): wire.Subscription => [filter, options(packet.options[index] ?? 0)],
  );
  return [wire.subscribe(version, packet.packetId, subscriptions, packet.properties)];
}

export function without(properties: readonly Property[], ...names: readonly PropertyName[]): readonly Property[] {
  return properties.filter(([name]) => !names.includes(name));
}
