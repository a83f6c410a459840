// What `pnpm size` bundles, for browsers, minified. `goal` and `budget` are bytes of gzip: the goal is what we want to
// get to, the budget is what fails, a little above what there is, so that nothing grows unseen. `builds` are the
// workspace packages a bundle needs. `lacks` are patterns that the bundle, not minified, must not have: proof that tree
// shaking works.

/** @type {{ name: string, source: string, builds?: string[], goal?: number, budget?: number, lacks?: RegExp[] }[]} */
export const bundles = [
  {
    name: "codec, every export with its tables of names",
    source: `export * from "@tidewire/codec";`,
    builds: ["@tidewire/codec"],
    budget: 9000,
  },
  {
    name: "codec, both directions of all packets",
    source: `export { createDecoder, createPacketWriter } from "@tidewire/codec";`,
    builds: ["@tidewire/codec"],
    goal: 7000,
    budget: 6850,
  },
  {
    name: "codec, a client's half",
    source: `export { createClientDecoder, createClientPacketWriter } from "@tidewire/codec";`,
    builds: ["@tidewire/codec"],
    goal: 4500,
    budget: 5700,
    lacks: [/\b(readConnect|writeConnack|readSubscribe|writeSubscribeAck|readUnsubscribe|writeEncoded|fastText)\b/],
  },
  {
    name: "codec, only to encode CONNECT, PUBLISH and SUBSCRIBE",
    source: `export { encodeConnect, encodePublish, encodeSubscribe } from "@tidewire/codec";`,
    builds: ["@tidewire/codec"],
    budget: 3150,
    lacks: [
      /\bread[A-Z]/,
      /Decoder/,
      /TextDecoder\(/,
      /\bwrite(Connack|Ack|SubscribeAck|Uns|Ping|Disc|Auth)/,
      /reasonCodes\b/,
    ],
  },
  {
    name: "codec and session, a client's half of both",
    source: `
      export { createClientDecoder, createClientPacketWriter } from "@tidewire/codec";
      export { createClientProtocol, createInflight } from "@tidewire/session";`,
    builds: ["@tidewire/session"],
    budget: 10_400,
    // What is handed in by those who want it.
    lacks: [/\b(fastText|AliasWriter|StoredOutgoing|Exchanges|ServerReceiver)\b/],
  },
  {
    name: "client, all of it",
    source: `export { connect, createClient } from "@tidewire/client";`,
    builds: ["@tidewire/client"],
    goal: 12_000,
    budget: 29_800,
    lacks: [
      /["']node:/,
      /\bprocess\./,
      /\brequire\(/,
      /\b(serveClient|createServerProtocol|readConnect|writeConnack)\b/,
    ],
  },
  {
    name: "client, lite: MQTT 3.1.1 and 5, every QoS, reconnect, WebSocket",
    source: `export { connect, createClient } from "@tidewire/client/lite";`,
    builds: ["@tidewire/client"],
    goal: 12_000,
    budget: 11_600,
    lacks: [/["']node:/, /\b(createClientProtocol|InflightState|Loop|fastText|readConnect|writeConnack)\b/],
  },
  {
    name: "client, minimal: connect, publish and subscribe",
    source: `export { connect } from "@tidewire/client/minimal";`,
    builds: ["@tidewire/client"],
    goal: 8_000,
    budget: 9_000,
    lacks: [/["']node:/, /\b(createClientProtocol|Exchanges|BackOff|Loop|fastText|readConnect|writeConnack)\b/],
  },
  {
    name: "what a client is built on: session, link and WebSocket, driven by hand",
    source: `
      export { createClientLinkLoop } from "@tidewire/link";
      export { browserScheduler } from "@tidewire/link/browser";
      export { createClientProtocol, createInflight } from "@tidewire/session";
      export { webSocket } from "@tidewire/transport-websocket";`,
    builds: ["@tidewire/link", "@tidewire/session", "@tidewire/transport-websocket"],
    budget: 16_000,
    lacks: [/\b(connectPacket|createServerProtocol|readConnect|writeConnack)\b/],
  },
  {
    name: "client, a page's half of a worker",
    source: `export { workerClient } from "@tidewire/client/worker";`,
    builds: ["@tidewire/client"],
    budget: 4_600,
    lacks: [/\b(createClientProtocol|WebSocket|Loop)\b/],
  },
  {
    name: "client's IndexedDB store",
    source: `export { indexedDbStore } from "@tidewire/store-indexeddb";`,
    builds: ["@tidewire/store-indexeddb"],
    budget: 3_400,
  },
  { name: "mqtt (MQTT.js)", source: `export { default } from "mqtt";` },
  { name: "paho-mqtt (3.1.1 only)", source: `export { default } from "paho-mqtt";` },
  { name: "mqtt-packet", source: `export { default } from "mqtt-packet";` },
  { name: "u8-mqtt-packet", source: `export * from "u8-mqtt-packet";` },
];
