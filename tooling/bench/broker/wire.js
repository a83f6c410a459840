// MQTT 3.1.1 packets as bytes, made once and sent many times. All messages of a run have the same size, so that whoever
// receives them only counts bytes.

export const TOPIC = "bench/topic/0001";
const PAYLOAD_BYTES = 64;

/** PUBLISH with QoS 0: one message, and how long it is. */
export function publish0(topic = TOPIC, payload = Buffer.alloc(PAYLOAD_BYTES, 0x61)) {
  return packet(0x30, [text(topic), payload]);
}

/** PUBLISH with QoS 1 or 2; the packet id is at `idOffset(topic)`. */
export function publish(qos, packetId, topic = TOPIC, payload = Buffer.alloc(PAYLOAD_BYTES, 0x61)) {
  return packet(0x30 | (qos << 1), [text(topic), uint16(packetId), payload]);
}

/** Where the packet id stands in a PUBLISH shorter than 128 bytes. */
export function idOffset(topic = TOPIC) {
  return 4 + topic.length;
}

export function connect(clientId, { cleanSession = true } = {}) {
  return packet(0x10, [text("MQTT"), Buffer.from([4, cleanSession ? 2 : 0, 0, 0]), text(clientId)]);
}

export function subscribe(filters, qos = 0) {
  return packet(0x82, [uint16(1), ...filters.flatMap((filter) => [text(filter), Buffer.from([qos])])]);
}

export function retained(topic, payload = Buffer.alloc(PAYLOAD_BYTES, 0x61)) {
  return packet(0x31, [text(topic), payload]);
}

/** As many copies as fit in so many bytes, and how many they are. */
export function batch(bytes, space = 65_536) {
  const count = Math.max(1, Math.floor(space / bytes.length));
  return { bytes: Buffer.concat(Array(count).fill(bytes)), count };
}

function packet(first, parts) {
  const body = Buffer.concat(parts);
  const length = [];
  for (let rest = body.length; ; ) {
    const low = rest & 0x7f;
    rest >>>= 7;
    length.push(rest > 0 ? low | 0x80 : low);
    if (rest === 0) {
      break;
    }
  }
  return Buffer.concat([Buffer.from([first, ...length]), body]);
}

function text(value) {
  const bytes = Buffer.from(value);
  return Buffer.concat([uint16(bytes.length), bytes]);
}

function uint16(value) {
  return Buffer.from([value >> 8, value & 0xff]);
}
