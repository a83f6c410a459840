/** Bounds of everything that can grow or wait, besides those with an option of their own. */
export interface ClientLimits {
  /**
   * Topic filters in one SUBSCRIBE or UNSUBSCRIBE packet. Where a server takes fewer (AWS IoT: 8), that is found out when it
   * ends the connection; to say so here saves the lost connections.
   */
  readonly filtersPerPacket: number;
  /**
   * How often the server may end the connection at one and the same message or topic filter before that is given up, with
   * `publish-refused` or `subscribe-refused`.
   */
  readonly endsAtOneThing: number;
  /** SUBSCRIBE and UNSUBSCRIBE packets without an answer. */
  readonly unansweredPackets: number;
  /** Requests that wait for their response. */
  readonly pendingRequests: number;
  /** Bytes of one packet from the server; announced in CONNECT (MQTT 5) and enforced. */
  readonly maximumPacketSize: number;
  /** QoS 1 and 2 messages from the server that may be unacknowledged; announced in CONNECT (MQTT 5). */
  readonly receiveMaximum: number;
  /** QoS 1 and 2 messages of this client that may be unacknowledged in MQTT 3.1.1; in MQTT 5 the server says how many. */
  readonly inFlightBeforeMqtt5: number;
  /** Topic aliases the server may use; announced in CONNECT (MQTT 5). */
  readonly topicAliasMaximum: number;
  /** Topic aliases that this client uses, as far as the server lets it (MQTT 5). */
  readonly outgoingTopicAliases: number;
  /** Messages held for a subscription's slow consumer. */
  readonly subscriptionBuffer: number;
  /** Milliseconds a resumed session's messages wait for a subscription to claim them. */
  readonly unclaimedHoldMs: number;
  /** Milliseconds for SUBACK, UNSUBACK or a response, unless the call says otherwise. */
  readonly answerTimeoutMs: number;
  /** Milliseconds that the server has to answer `checkConnection()`. */
  readonly checkTimeoutMs: number;
  /** Milliseconds that `close()` gives the connection to end in order. */
  readonly closeTimeoutMs: number;
  /** Redirects followed in a row. */
  readonly redirects: number;
  /** Changes of status held for a slow reader; older ones are dropped. */
  readonly statusBuffer: number;
}

export const defaultLimits: ClientLimits = {
  // Every broker takes this many, and the answer to one packet stays far below any packet limit.
  filtersPerPacket: 256,
  // A network may cut a few connections in a row at the same place; more is the server's doing.
  endsAtOneThing: 5,
  // Has 16,384 filters on the way at once: a large session is made again in one round trip, and a server's input is not
  // filled with more than some hundred kilobytes of them.
  unansweredPackets: 64,
  // One needs a topic, an entry and a timer each: a few hundred bytes.
  pendingRequests: 10_000,
  // A page that is sent more has to say so; the largest packet the specification allows would be 256 MiB.
  maximumPacketSize: 16 * 1024 * 1024,
  // What may wait in memory for a slow consumer; more does not make a fast one faster.
  receiveMaximum: 1_024,
  // What mosquitto allows, which ends the connection at the 21st unfinished message of QoS 2, and the default of Paho.
  inFlightBeforeMqtt5: 20,
  // An alias saves the bytes of a topic that comes again, which a narrow line is thankful for. It is not for free: what a
  // broker can else pass on in the bytes that it came in has to be encoded for each receiver, at half the rate or less.
  topicAliasMaximum: 0,
  outgoingTopicAliases: 0,
  subscriptionBuffer: 1_000,
  // An application that subscribes on start has done so; one that no longer wants the topic must not block others.
  unclaimedHoldMs: 5_000,
  // A server that is alive answers within its keep-alive grace.
  answerTimeoutMs: 30_000,
  // A user who comes back to the page sees within this time that it is alive, or is being made so.
  checkTimeoutMs: 3_000,
  // A peer that no longer reads must not hold up a page or a process that ends.
  closeTimeoutMs: 5_000,
  // More is a loop between misconfigured servers.
  redirects: 4,
  // A reader wants the latest; this bridges a burst.
  statusBuffer: 16,
};

/** See `QueueOptions`. */
export const defaultQueue: { readonly maxMessages: number; readonly maxBytes: number; readonly policy: "reject" } = {
  // As many as there are packet identifiers: a queue for every message that could be in flight.
  maxMessages: 65_535,
  // What a phone's browser tab can spare.
  maxBytes: 16 * 1024 * 1024,
  // A caller who is told can do something about it.
  policy: "reject",
};

/** Longer than a slow handshake, shorter than a person waits. */
export const defaultConnectTimeoutMs = 30_000;
