// How long a message is on its way when the server has half of what it can do.

import { client, pause, subscriber } from "./client.js";
import { publish0, TOPIC } from "./wire.js";

const WARM_UP_MS = 300;
const MEASURE_MS = 2000;
const STAMP_AT = 4 + TOPIC.length;

/** QoS 0 one to one at so many messages a second: microseconds at the median and at 99 %. */
export async function latency(server, transport, messagesPerSecond) {
  const template = publish0();
  const size = template.length;
  const receiver = await subscriber(server, transport, [TOPIC]);
  const sender = await client(server, transport);
  const samples = [];
  let rest = Buffer.alloc(0);
  receiver.onData = (chunk) => {
    const now = performance.now();
    const bytes = rest.length > 0 ? Buffer.concat([rest, chunk]) : chunk;
    let offset = 0;
    for (; offset + size <= bytes.length; offset += size)
      samples.push((now - bytes.readDoubleLE(offset + STAMP_AT)) * 1000);
    rest = bytes.subarray(offset);
  };
  const start = performance.now();
  let sent = 0;
  let running = true;
  const pump = () => {
    if (!running) return;
    const now = performance.now();
    const count = Math.min(1000, Math.floor(((now - start) / 1000) * messagesPerSecond) - sent);
    if (count > 0) {
      template.writeDoubleLE(now, STAMP_AT);
      sender.send(Buffer.alloc(size * count, template));
      sent += count;
    }
    setImmediate(pump);
  };
  pump();
  await pause(WARM_UP_MS);
  samples.length = 0;
  await pause(MEASURE_MS);
  running = false;
  sender.close();
  receiver.close();
  samples.sort((a, b) => a - b);
  return { p50: samples[samples.length >> 1], p99: samples[Math.floor(samples.length * 0.99)] };
}
