// QoS 1 through a persistent session: online with a window, and offline, filled and drained.

import { open } from "../broker/channel.js";
import { client, pause, subscribeAll } from "../broker/client.js";
import { connect, idOffset, publish, TOPIC } from "../broker/wire.js";

const WARM_UP_MS = 500;
const MEASURE_MS = 2000;
const message = publish(1, 1);
const PUBACK_BYTES = 4;

/** `publishers` to one persistent session, each with `window` unacknowledged messages: deliveries per second. */
export async function rate(server, publishers, window) {
  const receiver = await persistent(server);
  await subscribeAll(receiver, [TOPIC], 1);
  let delivered = 0;
  acknowledge(receiver, (count) => {
    delivered += count;
  });
  const senders = [];
  for (let index = 0; index < publishers; index += 1) {
    const sender = await client(server, "tcp");
    const send = publisher(sender);
    onPubacks(sender, send);
    send(window);
    senders.push(sender);
  }
  await pause(WARM_UP_MS);
  const from = delivered;
  const start = performance.now();
  await pause(MEASURE_MS);
  const perSecond = ((delivered - from) / (performance.now() - start)) * 1000;
  for (const channel of [receiver, ...senders]) {
    channel.close();
  }
  await forget(server);
  return perSecond;
}

/** Fills the queue of an absent session, then drains it: messages per second for each. */
export async function fillAndDrain(server, count) {
  const away = await persistent(server);
  await subscribeAll(away, [TOPIC], 1);
  away.close();
  await pause(100);

  const sender = await client(server, "tcp");
  const fill = await timed(count, (onDone) => {
    const send = publisher(sender);
    let left = count;
    const sendSome = (done) => {
      onDone(done);
      const more = Math.min(done, left);
      left -= more;
      if (more > 0) {
        send(more);
      }
    };
    onPubacks(sender, sendSome);
    left -= 1000;
    send(1000);
  });
  sender.close();

  const receiver = await resumed(server);
  const drain = await timed(count, (onDone) => acknowledge(receiver, onDone, CONNACK_BYTES));
  receiver.close();
  return { fill, drain };
}

const CLIENT_ID = "durable";
const CONNACK_BYTES = 4;

/** A session that outlives its connection. */
function persistent(server) {
  return client(server, "tcp", { cleanSession: false, clientId: CLIENT_ID });
}

/** The session again, with every byte from CONNACK on for the caller: messages come right behind it. */
async function resumed(server) {
  const channel = await open(server, "tcp");
  channel.send(connect(CLIENT_ID, { cleanSession: false }));
  return channel;
}

/** Ends the session, which would go on collecting. */
async function forget(server) {
  const channel = await client(server, "tcp", { clientId: CLIENT_ID });
  channel.close();
  await pause(200);
}

function timed(count, begin) {
  return new Promise((resolve) => {
    const start = performance.now();
    let done = 0;
    begin((more) => {
      done += more;
      if (done >= count) {
        resolve((count / (performance.now() - start)) * 1000);
      }
    });
  });
}

/** Returns a function that publishes so many messages in one write. */
function publisher(channel) {
  let nextId = 1;
  return (count) => {
    const bytes = Buffer.allocUnsafe(message.length * count);
    for (let index = 0; index < count; index += 1) {
      message.copy(bytes, index * message.length);
      bytes.writeUInt16BE(nextId, index * message.length + idOffset());
      nextId = (nextId % 65_535) + 1;
    }
    channel.send(bytes);
  };
}

/** A publisher receives nothing but PUBACKs. */
function onPubacks(channel, onDone) {
  let bytes = 0;
  channel.onData = (chunk) => {
    bytes += chunk.length;
    const count = Math.floor(bytes / PUBACK_BYTES);
    bytes -= count * PUBACK_BYTES;
    if (count > 0) {
      onDone(count);
    }
  };
}

/** Sends the PUBACKs of a chunk together. Every PUBLISH has the same size. */
function acknowledge(channel, onDone, skip = 0) {
  let rest = Buffer.alloc(0);
  channel.onData = (chunk) => {
    let bytes = rest.length > 0 ? Buffer.concat([rest, chunk]) : chunk;
    const skipped = Math.min(skip, bytes.length);
    skip -= skipped;
    bytes = bytes.subarray(skipped);
    const count = Math.floor(bytes.length / message.length);
    const answers = Buffer.allocUnsafe(count * PUBACK_BYTES);
    for (let index = 0; index < count; index += 1) {
      answers.writeUInt16BE(0x4002, index * PUBACK_BYTES);
      const at = index * message.length + idOffset();
      answers[index * PUBACK_BYTES + 2] = bytes[at];
      answers[index * PUBACK_BYTES + 3] = bytes[at + 1];
    }
    rest = bytes.subarray(count * message.length);
    if (count > 0) {
      channel.send(answers);
      onDone(count);
    }
  };
}
