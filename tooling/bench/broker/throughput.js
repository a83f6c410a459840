// Messages through one server: as many as it takes, with so much on its way that it is never idle. Counted per second of
// the server's processor time, which is what one core does in a second when nothing else runs on it: on a machine that is
// shared, time on the wall would measure the neighbours.

import { client, pause, subscriber } from "./client.js";
import { processorMs } from "./servers.js";
import { batch, idOffset, publish, publish0, TOPIC } from "./wire.js";

/** Of the server's processor time: compilers have done their work by then. */
const WARM_UP_MS = 1500;
const MEASURE_MS = 1000;
/** How long a server may take for that. */
const PATIENCE_MS = 15_000;
/** Deliveries on their way at most: several buffers full, and below what any server's queue would drop. */
const OUTSTANDING_BYTES = 2 * 1024 * 1024;

/** QoS 0 from `publishers` to `subscribers`, all on one topic, so many bytes at a time: deliveries. */
export async function rate0(server, transport, publishers, subscribers, pieceBytes = 65_536) {
  const message = publish0();
  const { bytes, count } = batch(message, pieceBytes);
  let received = 0;
  let sent = 0;
  const receivers = [];
  for (let index = 0; index < subscribers; index += 1) {
    const receiver = await subscriber(server, transport, [TOPIC]);
    receiver.onData = (chunk) => {
      received += chunk.length;
    };
    receivers.push(receiver);
  }
  const senders = [];
  for (let index = 0; index < publishers; index += 1) {
    senders.push(await client(server, transport));
  }

  const window = Math.max(OUTSTANDING_BYTES, 4 * bytes.length * subscribers);
  let running = true;
  const blocked = new Set();
  for (const sender of senders) {
    sender.onDrain = () => blocked.delete(sender);
  }
  let lastReceived = 0;
  let idleTurns = 0;
  const pump = () => {
    if (!running) {
      return;
    }
    for (const sender of senders) {
      if (blocked.has(sender) || sent * message.length * subscribers - received > window) {
        continue;
      }
      sent += count;
      if (!sender.send(bytes)) {
        blocked.add(sender);
      }
    }
    // What a server has dropped is not waited for.
    idleTurns = received === lastReceived ? idleTurns + 1 : 0;
    lastReceived = received;
    if (idleTurns > 20_000) {
      sent = received / (message.length * subscribers);
    }
    setImmediate(pump);
  };
  pump();
  const result = await measure(server, () => received / message.length);
  running = false;
  close(senders, receivers);
  return result;
}

/** QoS 1 or 2, one to one, with a window of unfinished messages: messages finished at both ends. */
export async function rateAcknowledged(server, transport, qos, window) {
  const receiver = await subscriber(server, transport, [TOPIC], qos);
  const sender = await client(server, transport);
  let finished = 0;
  let delivered = 0;
  let nextId = 1;
  const template = publish(qos, 1);
  const publishMany = (count) => {
    const bytes = Buffer.allocUnsafe(template.length * count);
    for (let index = 0; index < count; index += 1) {
      template.copy(bytes, index * template.length);
      bytes.writeUInt16BE(nextId, index * template.length + idOffset());
      nextId = (nextId % 65_535) + 1;
    }
    sender.send(bytes);
  };
  sender.onData = packets(
    (type, id, answers) => {
      if (type === 5) {
        answers.push(0x62, 2, id >> 8, id & 0xff);
      } else {
        finished += 1;
      }
      return type !== 5;
    },
    sender,
    publishMany,
  );
  receiver.onData = packets((type, id, answers) => {
    if (type === 3) {
      delivered += 1;
      answers.push(qos === 1 ? 0x40 : 0x50, 2, id >> 8, id & 0xff);
    } else {
      answers.push(0x70, 2, id >> 8, id & 0xff);
    }
    return false;
  }, receiver);
  publishMany(window);
  const result = await measure(server, () => Math.min(finished, delivered));
  close([sender], [receiver]);
  return result;
}

/**
 * Reads PUBLISH packets below 128 bytes and acknowledgements; sends the answers of a chunk together, and as many new
 * messages as were finished.
 */
function packets(onPacket, channel, onFinished) {
  let rest = Buffer.alloc(0);
  return (chunk) => {
    const bytes = rest.length > 0 ? Buffer.concat([rest, chunk]) : chunk;
    const answers = [];
    let finished = 0;
    let offset = 0;
    while (offset + 2 <= bytes.length && offset + 2 + bytes[offset + 1] <= bytes.length) {
      const type = bytes[offset] >> 4;
      const idAt = type === 3 ? offset + idOffset() : offset + 2;
      if (onPacket(type, (bytes[idAt] << 8) | bytes[idAt + 1], answers)) {
        finished += 1;
      }
      offset += 2 + bytes[offset + 1];
    }
    rest = bytes.subarray(offset);
    if (answers.length > 0) {
      channel.send(Buffer.from(answers));
    }
    if (finished > 0) {
      onFinished?.(finished);
    }
  };
}

/** @returns {Promise<{ perCore: number, perSecond: number }>} by processor time, and by the clock on the wall */
async function measure(server, counter) {
  await worked(server, WARM_UP_MS);
  const from = counter();
  const start = performance.now();
  const processorTime = await worked(server, MEASURE_MS);
  const count = counter() - from;
  return { perCore: (count / processorTime) * 1000, perSecond: (count / (performance.now() - start)) * 1000 };
}

/** Waits until the server has used so much processor time; returns how much it was. */
async function worked(server, ms) {
  const start = processorMs(server.pid);
  const deadline = performance.now() + PATIENCE_MS;
  while (processorMs(server.pid) - start < ms && performance.now() < deadline) {
    await pause(20);
  }
  return processorMs(server.pid) - start;
}

function close(...channels) {
  for (const channel of channels.flat()) {
    channel.close();
  }
}
