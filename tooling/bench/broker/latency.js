// How long a message is on its way when the server has half of what it can do.

import { client, pause, subscriber } from "./client.js";
import { publish0 } from "./wire.js";

const WARM_UP_MS = 300;
const MEASURE_MS = 2000;
/** Not the one of the rates: a server may still be busy with what those left behind. */
const TOPIC = "bench/latency/01";
const STAMP_AT = 4 + TOPIC.length;
/** Messages sent at once, after a pause, at most. */
const BURST = 1000;
/** One message in so many has the time in it and is looked at, so that the load generator is not what is measured. */
const STRIDE = 16;

/** QoS 0 one to one at so many messages a second: microseconds at the median and at 99 %. */
export async function latency(server, transport, messagesPerSecond) {
  const template = publish0(TOPIC);
  const size = template.length;
  const receiver = await subscriber(server, transport, [TOPIC]);
  const sender = await client(server, transport);
  // Room for all of them at once: a growing array would stop the load generator now and then, and be measured.
  const samples = new Float64Array(Math.ceil((messagesPerSecond * (WARM_UP_MS + MEASURE_MS) * 2) / 1000 / STRIDE));
  let count = 0;
  /** Where the next stamp stands, from the first byte of the chunk on. */
  let next = STAMP_AT;
  receiver.onData = (chunk) => {
    const now = performance.now();
    for (; next < chunk.length; next += size * STRIDE) {
      // One that is cut in two is left out.
      if (next + 8 <= chunk.length) {
        samples[count] = (now - chunk.readDoubleLE(next)) * 1000;
        count += 1;
      }
    }
    next -= chunk.length;
  };
  const start = performance.now();
  const burst = Buffer.alloc(size * BURST, template);
  let sent = 0;
  let running = true;
  const pump = () => {
    if (!running) {
      return;
    }
    const now = performance.now();
    const due = Math.min(BURST, Math.floor(((now - start) / 1000) * messagesPerSecond) - sent);
    if (due > 0) {
      // The same bytes again once they have left, else others: a time must not change while it waits.
      const free = sender.socket.writableLength === 0;
      const bytes = free ? burst.subarray(0, size * due) : Buffer.alloc(size * due, template);
      for (let index = -sent & (STRIDE - 1); index < due; index += STRIDE) {
        bytes.writeDoubleLE(now, index * size + STAMP_AT);
      }
      sender.send(bytes);
      sent += due;
    }
    setImmediate(pump);
  };
  pump();
  await pause(WARM_UP_MS);
  const first = count;
  await pause(MEASURE_MS);
  running = false;
  sender.close();
  receiver.close();
  const sorted = samples.subarray(first, count).sort();
  return { p50: sorted[sorted.length >> 1], p99: sorted[Math.floor(sorted.length * 0.99)] };
}
