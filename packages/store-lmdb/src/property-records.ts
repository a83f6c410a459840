import type { Publication } from "@tidewire/broker";
import type { RecordReader } from "./record-reader.ts";
import type { RecordWriter } from "./record-writer.ts";

/** Those of a PUBLISH and of a will; no others are ever kept. */
export type Properties = NonNullable<Publication["properties"]>;

export function writeProperties(writer: RecordWriter, properties: Properties): void {
  const { payloadFormatIndicator, messageExpiryInterval, contentType, responseTopic, correlationData } = properties;
  const { subscriptionIdentifiers, userProperties, willDelayInterval } = properties;
  writer.u8(
    (payloadFormatIndicator === undefined ? 0 : PAYLOAD_FORMAT) |
      (messageExpiryInterval === undefined ? 0 : MESSAGE_EXPIRY) |
      (contentType === undefined ? 0 : CONTENT_TYPE) |
      (responseTopic === undefined ? 0 : RESPONSE_TOPIC) |
      (correlationData === undefined ? 0 : CORRELATION_DATA) |
      (subscriptionIdentifiers === undefined ? 0 : SUBSCRIPTION_IDENTIFIERS) |
      (userProperties === undefined ? 0 : USER_PROPERTIES) |
      (willDelayInterval === undefined ? 0 : WILL_DELAY),
  );
  if (payloadFormatIndicator !== undefined) {
    writer.u8(payloadFormatIndicator);
  }
  if (messageExpiryInterval !== undefined) {
    writer.u32(messageExpiryInterval);
  }
  if (contentType !== undefined) {
    writer.text(contentType);
  }
  if (responseTopic !== undefined) {
    writer.text(responseTopic);
  }
  if (correlationData !== undefined) {
    writer.binary(correlationData);
  }
  if (subscriptionIdentifiers !== undefined) {
    writer.u32(subscriptionIdentifiers.length);
    for (const identifier of subscriptionIdentifiers) {
      writer.u32(identifier);
    }
  }
  if (userProperties !== undefined) {
    writer.u32(userProperties.length);
    for (const [name, value] of userProperties) {
      writer.text(name);
      writer.text(value);
    }
  }
  if (willDelayInterval !== undefined) {
    writer.u32(willDelayInterval);
  }
}

export function readProperties(reader: RecordReader): Properties {
  const present = reader.u8();
  const properties: Properties = {};
  if ((present & PAYLOAD_FORMAT) !== 0) {
    properties.payloadFormatIndicator = reader.u8() as 0 | 1;
  }
  if ((present & MESSAGE_EXPIRY) !== 0) {
    properties.messageExpiryInterval = reader.u32();
  }
  if ((present & CONTENT_TYPE) !== 0) {
    properties.contentType = reader.text();
  }
  if ((present & RESPONSE_TOPIC) !== 0) {
    properties.responseTopic = reader.text();
  }
  if ((present & CORRELATION_DATA) !== 0) {
    properties.correlationData = reader.binary();
  }
  if ((present & SUBSCRIPTION_IDENTIFIERS) !== 0) {
    properties.subscriptionIdentifiers = readList(reader, () => reader.u32());
  }
  if ((present & USER_PROPERTIES) !== 0) {
    properties.userProperties = readList(reader, () => [reader.text(), reader.text()] as const);
  }
  if ((present & WILL_DELAY) !== 0) {
    properties.willDelayInterval = reader.u32();
  }
  return properties;
}

/** Grows with what is there, so that a damaged count cannot ask for memory. */
function readList<T>(reader: RecordReader, readItem: () => T): T[] {
  const items: T[] = [];
  for (let left = reader.u32(); left > 0; left -= 1) {
    items.push(readItem());
  }
  return items;
}

const PAYLOAD_FORMAT = 0x01;
const MESSAGE_EXPIRY = 0x02;
const CONTENT_TYPE = 0x04;
const RESPONSE_TOPIC = 0x08;
const CORRELATION_DATA = 0x10;
const SUBSCRIPTION_IDENTIFIERS = 0x20;
const USER_PROPERTIES = 0x40;
const WILL_DELAY = 0x80;
