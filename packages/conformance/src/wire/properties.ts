import { ConformanceError } from "../failure.ts";
import { ByteReader, bytes, concat, field, type Text, uint16, uint32, varint } from "./bytes.ts";

/** Wire form of a property's value. */
type PropertyForm = "byte" | "uint16" | "uint32" | "varint" | "string" | "binary" | "pair";

export type PropertyName =
  | "payloadFormatIndicator"
  | "messageExpiryInterval"
  | "contentType"
  | "responseTopic"
  | "correlationData"
  | "subscriptionIdentifier"
  | "sessionExpiryInterval"
  | "assignedClientIdentifier"
  | "serverKeepAlive"
  | "authenticationMethod"
  | "authenticationData"
  | "requestProblemInformation"
  | "willDelayInterval"
  | "requestResponseInformation"
  | "responseInformation"
  | "serverReference"
  | "reasonString"
  | "receiveMaximum"
  | "topicAliasMaximum"
  | "topicAlias"
  | "maximumQoS"
  | "retainAvailable"
  | "userProperty"
  | "maximumPacketSize"
  | "wildcardSubscriptionAvailable"
  | "subscriptionIdentifierAvailable"
  | "sharedSubscriptionAvailable";

/** Every MQTT 5 property: identifier and form (MQTT 5.0, 2.2.2.2). */
const PROPERTIES: Readonly<Record<PropertyName, readonly [id: number, form: PropertyForm]>> = {
  payloadFormatIndicator: [0x01, "byte"],
  messageExpiryInterval: [0x02, "uint32"],
  contentType: [0x03, "string"],
  responseTopic: [0x08, "string"],
  correlationData: [0x09, "binary"],
  subscriptionIdentifier: [0x0b, "varint"],
  sessionExpiryInterval: [0x11, "uint32"],
  assignedClientIdentifier: [0x12, "string"],
  serverKeepAlive: [0x13, "uint16"],
  authenticationMethod: [0x15, "string"],
  authenticationData: [0x16, "binary"],
  requestProblemInformation: [0x17, "byte"],
  willDelayInterval: [0x18, "uint32"],
  requestResponseInformation: [0x19, "byte"],
  responseInformation: [0x1a, "string"],
  serverReference: [0x1c, "string"],
  reasonString: [0x1f, "string"],
  receiveMaximum: [0x21, "uint16"],
  topicAliasMaximum: [0x22, "uint16"],
  topicAlias: [0x23, "uint16"],
  maximumQoS: [0x24, "byte"],
  retainAvailable: [0x25, "byte"],
  userProperty: [0x26, "pair"],
  maximumPacketSize: [0x27, "uint32"],
  wildcardSubscriptionAvailable: [0x28, "byte"],
  subscriptionIdentifierAvailable: [0x29, "byte"],
  sharedSubscriptionAvailable: [0x2a, "byte"],
};

export const PROPERTY_NAMES: readonly PropertyName[] = Object.keys(PROPERTIES) as PropertyName[];

/** One property on the wire; any value, any order, any number of times. */
export type Property = readonly [name: PropertyName, value: number | Text, pairValue?: Text];

/** A property that stands for itself: numbers for integers, text or bytes for the rest. */
export function encodeProperty([name, value, pairValue]: Property): Uint8Array {
  const [id, form] = PROPERTIES[name];
  return concat(bytes(id), encodeValue(form, value, pairValue));
}

/** The property set with its length in front. */
export function encodeProperties(properties: readonly Property[]): Uint8Array {
  const content = concat(...properties.map(encodeProperty));
  return concat(varint(content.length), content);
}

/** The properties in the order received; throws where they cannot be read. */
export function decodeProperties(reader: ByteReader): Property[] {
  const inner = new ByteReader(reader.take(reader.varint()));
  const properties: Property[] = [];
  while (inner.left > 0) {
    const id = inner.uint8();
    const name = PROPERTY_NAMES.find((candidate) => PROPERTIES[candidate][0] === id);
    if (name === undefined) {
      throw new ConformanceError("bytes-malformed", `Property identifier ${id} does not exist.`);
    }
    properties.push(decodeValue(name, inner));
  }
  return properties;
}

function encodeValue(form: PropertyForm, value: number | Text, pairValue: Text | undefined): Uint8Array {
  if (form === "pair") {
    return concat(field(value as Text), field(pairValue ?? ""));
  }
  if (form === "string" || form === "binary") {
    return field(value as Text);
  }
  const number = value as number;
  if (form === "byte") {
    return bytes(number);
  }
  if (form === "uint16") {
    return uint16(number);
  }
  return form === "uint32" ? uint32(number) : varint(number);
}

function decodeValue(name: PropertyName, reader: ByteReader): Property {
  const form: PropertyForm = PROPERTIES[name][1];
  switch (form) {
    case "byte":
      return [name, reader.uint8()];
    case "uint16":
      return [name, reader.uint16()];
    case "uint32":
      return [name, reader.uint32()];
    case "varint":
      return [name, reader.varint()];
    case "string":
      return [name, reader.string()];
    case "binary":
      return [name, reader.binary()];
    case "pair":
      return [name, reader.string(), reader.string()];
  }
}
