import type {
  StoreEntry,
  StoreOutgoingMessage,
  StorePublication,
  StoreSession,
  StoreSubscription,
} from "./contract.ts";

/** A point of time in the future of any test, in milliseconds since 1970. */
export const LATER_MS = 4_000_000_000_000;

export function session(clientId: string, fields: Partial<StoreSession> = {}): StoreSession {
  return {
    clientId,
    version: 5,
    sessionExpiryInterval: 3600,
    disconnectedAtMs: LATER_MS,
    username: undefined,
    will: undefined,
    willAtMs: undefined,
    maybeSentBelow: undefined,
    ...fields,
  };
}

export function subscription(filter: string, fields: Partial<StoreSubscription> = {}): StoreSubscription {
  return {
    filter,
    qos: 1,
    noLocal: false,
    retainAsPublished: false,
    retainHandling: 0,
    subscriptionIdentifier: undefined,
    ...fields,
  };
}

export function publication(text: string, fields: Partial<StorePublication> = {}): StorePublication {
  return {
    topic: "a/topic",
    payload: bytes(text),
    qos: 1,
    retain: false,
    properties: undefined,
    receivedAtMs: 1_700_000_000_000,
    expiresAtMs: Number.POSITIVE_INFINITY,
    publisher: "publisher",
    publisherUser: "user",
    storedId: undefined,
    ...fields,
  };
}

export function entry(sequence: number, of: StorePublication, fields: Partial<StoreEntry> = {}): StoreEntry {
  return { sequence, publication: of, qos: 1, retain: false, subscriptionIdentifiers: undefined, ...fields };
}

/** An entry as it is handed to a session. */
export function outgoing(of: StoreEntry): StoreOutgoingMessage {
  const { topic, payload, properties } = of.publication;
  return { topic, payload, qos: of.qos, retain: of.retain, properties, entry: of };
}

export function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

export function text(payload: Uint8Array): string {
  return new TextDecoder().decode(payload);
}

/** The payloads of entries, in order. */
export function texts(entries: readonly StoreEntry[]): string[] {
  return entries.map(({ publication: { payload } }) => text(payload));
}

/** Fields in the order of their names and without undefined ones: whichever way a store builds its objects. */
export function canonical(value: unknown): unknown {
  if (Array.isArray(value)) {
    return value.map(canonical);
  }
  if (typeof value !== "object" || value === null || value instanceof Uint8Array) {
    return value;
  }
  const fields = Object.entries(value).filter(([, field]) => field !== undefined);
  fields.sort(([one], [other]) => (one < other ? -1 : 1));
  return Object.fromEntries(fields.map(([name, field]) => [name, canonical(field)]));
}
