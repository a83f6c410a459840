// Why a peer fails a case: what it does, read against the statement. The first entry that fits counts; a failure without
// one stops the comparison, so that nothing is published that nobody has looked at.
const MOSQUITTO = "Mosquitto";
const NATS = "nats-server";
const AEDES = "Aedes 1.2";
const AEDES_2 = "Aedes 2.0 beta";
const BOTH_AEDES = [AEDES, AEDES_2];

export const EXPLANATIONS = [
  {
    peers: [MOSQUITTO],
    cases: /malformed\/(puback|pubrec|pubcomp|pingreq)-flags$/,
    why: "Takes PUBACK, PUBREC, PUBCOMP and PINGREQ whatever their reserved flags are; it checks those of the other packets.",
  },
  {
    peers: [MOSQUITTO],
    cases: /malformed\/packet-too-long$/,
    why: "Passes over bytes behind the last field of PINGREQ and PUBREL.",
  },
  {
    peers: [MOSQUITTO],
    cases: /malformed\/share-(name|filter)$/,
    why: "Grants shared subscriptions with an empty ShareName or with `+` in it, and ones without a filter.",
  },
  {
    peers: [MOSQUITTO, AEDES_2],
    cases: /malformed\/share-no-local$/,
    why: "Grants No Local on a shared subscription, which the statement calls a Protocol Error.",
  },
  {
    peers: [MOSQUITTO],
    cases: /malformed\/response-topic-wildcard$/,
    why: "Forwards a Response Topic with wildcards.",
  },
  {
    peers: [MOSQUITTO],
    cases: /malformed\/(puback|pubrec|pubrel|pubcomp)-reason$/,
    why: "Does not look at the reason code of acknowledgements for identifiers that are not in use.",
  },
  {
    peers: [MOSQUITTO, AEDES_2],
    cases: /malformed\/publish-subscription-identifier$/,
    why: "Takes a PUBLISH of a client that carries a Subscription Identifier.",
  },
  {
    peers: [MOSQUITTO, AEDES_2],
    cases: /malformed\/(will|publish)-values$/,
    why: "Takes a Payload Format Indicator of 2.",
  },
  {
    peers: [MOSQUITTO],
    cases: /malformed\/authentication-data-alone$/,
    why: "Takes Authentication Data without an Authentication Method, a Protocol Error by section 3.1.2.11.10.",
  },
  {
    peers: [MOSQUITTO],
    cases: /connect\/takeover$/,
    why: "Closes the older connection without the DISCONNECT 0x8E that the statement names.",
  },
  {
    peers: [MOSQUITTO],
    cases: /flow\/maximum-packet-size$/,
    why: "Counts messages dropped for their size as still in flight: with Receive Maximum 2 nothing is delivered after two of them.",
  },
  {
    peers: [MOSQUITTO, AEDES_2],
    cases: /lifetime\/disconnect-reserved-bits$/,
    why: "Closes without the DISCONNECT 0x81 that the statement names.",
  },
  {
    peers: [MOSQUITTO, AEDES_2],
    cases: /qos\/2-does-not-expire-in-flight$/,
    why: "Lets a QoS 2 message expire between its PUBLISH and the client's return.",
  },
  {
    peers: [MOSQUITTO],
    cases: /retained\/shared-subscription$/,
    why: "Sends retained messages to a new shared subscription; section 4.8.2 says none are sent.",
  },

  {
    peers: [NATS],
    cases: /topics\/very-long$/,
    why: "Does not deliver a message to a topic of 65,535 bytes; the process was seen to end with a panic of its file store.",
  },
  {
    peers: [NATS],
    cases: /topics\/(dollar|system-tree)$/,
    why: "`#` and `+` match topics that begin with `$`: its own `$MQTT` and `$JS` messages reach every subscriber of `#`.",
  },
  {
    peers: [NATS],
    cases: /will\/on-takeover$/,
    why: "Does not publish the will of a connection that is taken over.",
  },
  {
    peers: [NATS],
    cases: /will\/qos$/,
    why: "Has no QoS 2: a will of QoS 2 is delivered at QoS 1.",
  },
  {
    peers: [NATS],
    cases: /qos\/(1-redelivery|order-of-redelivery)$/,
    why: "Does not send unacknowledged messages again on the client's return, but when its acknowledgement time of 30 s has passed.",
  },
  {
    peers: [NATS],
    cases: /unsubscribe\/finishes-what-began$/,
    why: "Has no QoS 2, which half of this case needs.",
  },
  {
    peers: [NATS],
    cases: /(encoding|qos|session|subscribe)\//,
    why: "Has no QoS 2: this version closes the connection on a PUBLISH of QoS 2.",
  },
  {
    peers: [NATS],
    cases: /malformed\/(connect|puback|pingreq)-flags$/,
    why: "Takes CONNECT, PUBACK and PINGREQ whatever their reserved flags are.",
  },
  {
    peers: [NATS],
    cases: /malformed\/filter-(hash|plus)$/,
    why: "Grants `a#`, `+a` and the like as literal filters.",
  },
  {
    peers: [NATS],
    cases: /malformed\/packet-id-0$/,
    why: "Takes SUBSCRIBE and UNSUBSCRIBE with the packet identifier 0.",
  },
  {
    peers: [NATS, ...BOTH_AEDES],
    cases: /malformed\/packet-too-(long|short)$/,
    why: "Does not compare the Remaining Length of short packets with their fields.",
  },

  {
    peers: [NATS, ...BOTH_AEDES],
    cases: /malformed\/[a-z-]+-utf8$/,
    why: "Replaces or passes on ill-formed UTF-8 instead of closing.",
  },
  {
    peers: [NATS, ...BOTH_AEDES],
    cases: /malformed\/[a-z-]+-nul$/,
    why: "Takes U+0000 in strings.",
  },
  {
    peers: [NATS, ...BOTH_AEDES],
    cases: /malformed\/connect-(will|user-name|password)-unannounced$/,
    why: "Passes over fields in CONNECT that its flags do not announce.",
  },
  {
    peers: BOTH_AEDES,
    cases: /malformed\/connect-password-without-user-name$/,
    why: "Takes a CONNECT with the Password Flag and without the User Name Flag.",
  },
  {
    peers: BOTH_AEDES,
    cases: /malformed\/connect-will-qos-3$/,
    why: "Takes a CONNECT with Will QoS 3.",
  },
  {
    peers: BOTH_AEDES,
    cases: /malformed\/packet-id-0$/,
    why: "Takes the packet identifier 0.",
  },
  {
    peers: BOTH_AEDES,
    cases: /malformed\/unsubscribe-empty$/,
    why: "Answers an UNSUBSCRIBE without filters.",
  },
  {
    peers: BOTH_AEDES,
    cases: /malformed\/filter-plus$/,
    why: "Grants filters such as `+a` and `a+`.",
  },
  {
    peers: BOTH_AEDES,
    cases: /connect\/protocol-level$/,
    why: "Closes without the CONNACK 1 that the statement asks for.",
  },
  {
    peers: BOTH_AEDES,
    cases: /connect\/client-id-refused$/,
    why: "Answers with CONNACK 2 and leaves the connection open.",
  },
  {
    peers: BOTH_AEDES,
    cases: /qos\/dup-not-forwarded$/,
    why: "Copies the publisher's DUP into what it forwards.",
  },
  {
    peers: BOTH_AEDES,
    cases: /qos\/[12]-redelivery$/,
    why: "Sends messages again without DUP.",
  },
  {
    peers: BOTH_AEDES,
    cases: /session\/without-subscriptions$/,
    why: "Forgets a session that has no subscriptions: Session Present is 0 on return.",
  },
  {
    peers: BOTH_AEDES,
    cases: /subscribe\/overlapping$/,
    why: "Delivers overlapping subscriptions at the QoS of one of them, which need not be the highest.",
  },
  {
    peers: BOTH_AEDES,
    cases: /unsubscribe\/pipelined$/,
    why: "Handles SUBSCRIBE and UNSUBSCRIBE that come together side by side: the later SUBSCRIBE is acknowledged, but without effect.",
  },

  {
    peers: [AEDES_2],
    cases:
      /malformed\/(connect|will|publish|puback|pubrec|pubrel|pubcomp|subscribe|unsubscribe|disconnect)-misplaced-property$/,
    why: "Takes properties on packets that may not carry them.",
  },
  {
    peers: [AEDES_2],
    cases: /malformed\/[a-z]+-repeated-property$/,
    why: "Takes a single-use property that is there twice.",
  },
  {
    peers: [AEDES_2],
    cases: /malformed\/(connect-values|property-length)$/,
    why: "Takes a Maximum Packet Size of 0, flags other than 0 and 1, and a PUBLISH without Property Length.",
  },
  {
    peers: [AEDES_2],
    cases: /flow\/receive-maximum/,
    why: "Sends more unacknowledged messages than the client's Receive Maximum.",
  },
  {
    peers: [AEDES_2],
    cases: /flow\/maximum-packet-size$/,
    why: "Sends packets above the client's Maximum Packet Size.",
  },
  {
    peers: [AEDES_2],
    cases: /(forwarding\/user-properties|will\/properties)$/,
    why: "Groups User Properties by name: their order is lost.",
  },
  {
    peers: BOTH_AEDES,
    cases: /retained\/qos-0-replaces$/,
    why: "While it is busy, a retained QoS 1 message may be stored after the QoS 0 message that came behind it; alone the case passes.",
  },
  {
    peers: [AEDES_2],
    cases: /subscribe\/identifiers-overlapping$/,
    why: "Sends one copy with the identifier of one of the matching subscriptions.",
  },
];

/** The explanation of a failure, or undefined. */
export function explain(peer, caseId) {
  return EXPLANATIONS.find(({ peers, cases }) => peers.includes(peer) && cases.test(caseId))?.why;
}
