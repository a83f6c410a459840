// How long a message is on its way when the server has half of what it can do.

import { client, pause, subscriber } from "./client.js";
import { publish0 } from "./wire.js";

const WARM_UP_MS = 300;
const MEASURE_MS = 2000;
/** Not the one of the rates: a server may still be busy with what those left behind. */
const TOPIC = "bench/latency/01";
const STAMP_AT = 4 + TOPIC.length;

/** QoS 0 one to one at so many messages a second: microseconds at the median and at 99 %. */
export async function latency(server, transport, messagesPerSecond) {
  const template = publish0(TOPIC);
  const size = template.length;
  const receiver = await subscriber(server, transport, [TOPIC]);
  const sender = await client(server, transport);
  // Room for all of them at once: a growing array would stop the load generator now and then, and be measured.
  const samples = new Float64Array(Math.ceil((messagesPerSecond * (WARM_UP_MS + MEASURE_MS) * 2) / 1000));
  let count = 0;
  let rest = Buffer.alloc(0);
  receiver.onData = (chunk) => {
    const now = performance.now();
    const bytes = rest.length > 0 ? Buffer.concat([rest, chunk]) : chunk;
    let offset = 0;
    for (; offset + size <= bytes.length; offset += size)
      samples[count++] = (now - bytes.readDoubleLE(offset + STAMP_AT)) * 1000;
    rest = bytes.subarray(offset);
  };
  const start = performance.now();
  let sent = 0;
  let running = true;
  const pump = () => {
    if (!running) return;
    const now = performance.now();
    const due = Math.min(1000, Math.floor(((now - start) / 1000) * messagesPerSecond) - sent);
    if (due > 0) {
      template.writeDoubleLE(now, STAMP_AT);
      sender.send(Buffer.alloc(size * due, template));
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
