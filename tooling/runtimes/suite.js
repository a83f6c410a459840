// The client as a program of any runtime uses it: the built package, over WebSocket by URL and over TCP. Run with the
// ports of a broker; prints one line for each thing that works, then "done".

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { connect, jsonPayload, topicTemplate } from "@tidewire/client";
import { tcp } from "@tidewire/transport-tcp";

const [tcpPort, webPort] = process.argv.slice(2).map(Number);
const targets = {
  websocket: `ws://127.0.0.1:${webPort}/mqtt`,
  tcp: tcp({ host: "127.0.0.1", port: tcpPort }),
};

for (const [transport, target] of Object.entries(targets)) {
  for (const protocolVersion of [4, 5]) {
    const name = `${transport}, version ${protocolVersion}`;
    const topic = `runtime/${transport}/${protocolVersion}`;
    await qualities(target, protocolVersion, topic);
    console.log(`QoS 0, 1 and 2 over ${name}`);
    await large(target, protocolVersion, topic);
    console.log(`a megabyte over ${name}`);
    await many(target, protocolVersion, topic);
    console.log(`10,000 messages in order over ${name}`);
    await resumed(target, protocolVersion, topic);
    console.log(`a session resumed over ${name}`);
  }
  await requests(target);
  console.log(`requests and templates over ${transport}`);
}
await refused();
console.log("a refusal");
console.log("done");

// `await using` would be shorter, but Node 20 does not know it.
async function withClient(target, options, use) {
  const client = await connect(target, options);
  try {
    await use(client);
  } finally {
    await client.close();
  }
}

function qualities(target, protocolVersion, topic) {
  return withClient(target, { protocolVersion }, async (client) => {
    for (const qos of [0, 1, 2]) {
      const subscription = await client.subscribe(`${topic}/${qos}/+`, { qos });
      await client.publish(`${topic}/${qos}/a`, `level ${qos}`, { qos });
      const { value } = await subscription.next();
      assert.deepEqual([value.text(), value.qos], [`level ${qos}`, qos]);
      await subscription.unsubscribe();
    }
  });
}

function large(target, protocolVersion, topic) {
  return withClient(target, { protocolVersion }, async (client) => {
    const subscription = await client.subscribe(topic, { qos: 1 });
    const payload = new Uint8Array(1_000_000).map((_, i) => i % 251);
    await client.publish(topic, payload, { qos: 1 });
    const { value } = await subscription.next();
    assert.equal(Buffer.compare(value.payload, payload), 0);
  });
}

function many(target, protocolVersion, topic) {
  return withClient(target, { protocolVersion }, async (client) => {
    const got = [];
    let complete;
    const completed = new Promise((resolve) => {
      complete = resolve;
    });
    await client.subscribe(topic, {
      qos: 1,
      onMessage: (message) => {
        if (got.push(message.text()) === 10_000) {
          complete();
        }
      },
    });
    const sent = Array.from({ length: 10_000 }, (_, i) => String(i));
    // In bursts: a broker keeps a bounded number of messages for a client that is behind.
    for (let i = 0; i < sent.length; i += 500) {
      await Promise.all(sent.slice(i, i + 500).map((text) => client.publish(topic, text, { qos: 1 })));
    }
    await completed;
    assert.deepEqual(got, sent);
  });
}

/** A session goes on in a client that comes later. */
async function resumed(target, protocolVersion, topic) {
  const options = { protocolVersion, clientId: topic, cleanStart: false, sessionExpiryInterval: 60 };
  await withClient(target, options, (client) => client.subscribe(topic, { qos: 1 }));
  await withClient(target, { protocolVersion }, (client) => client.publish(topic, "meanwhile", { qos: 1 }));
  await withClient(target, options, async (client) => {
    const subscription = await client.subscribe(topic, { qos: 1 });
    const { value } = await subscription.next();
    assert.equal(value.text(), "meanwhile");
  });
}

function requests(target) {
  return withClient(target, {}, async (client) => {
    const ask = topicTemplate("ask/{who}", jsonPayload());
    await ask.subscribe(client, {
      onMessage: async ({ params, value, message }) => {
        const { responseTopic, correlationData } = message.properties;
        await client.publish(responseTopic, `${params.who} ${value}`, { properties: { correlationData } });
      },
    });
    const answer = await client.request(ask.topic({ who: "me" }), "1");
    assert.equal(answer.text(), "me 1");
  });
}

async function refused() {
  const none = tcp({ host: "127.0.0.1", port: 1 });
  await assert.rejects(connect(none, { reconnect: false }), { code: "connection-lost" });
}
