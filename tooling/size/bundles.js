// What `pnpm size` bundles, for browsers, minified. `budget` is in bytes of gzip. `builds` are the workspace packages a
// bundle needs. `lacks` are patterns that the bundle, not minified, must not have: proof that tree shaking works.

const KB = 1024;

/** @type {{ name: string, source: string, builds?: string[], budget?: number, lacks?: RegExp[] }[]} */
export const bundles = [
  {
    name: "codec, all of it",
    source: `export * from "@tidewire/codec";`,
    builds: ["@tidewire/codec"],
    budget: 7 * KB,
  },
  {
    name: "codec, both directions of all packets",
    source: `export { createDecoder, createPacketWriter } from "@tidewire/codec";`,
    builds: ["@tidewire/codec"],
    budget: 6 * KB,
  },
  {
    name: "codec, a client's half",
    source: `export { createClientDecoder, createClientPacketWriter } from "@tidewire/codec";`,
    builds: ["@tidewire/codec"],
    budget: 4.5 * KB,
    lacks: [/\b(readConnect|writeConnack|readSubscribe|writeSuback|readUnsubscribe|writeUnsuback|readPingreq)\b/],
  },
  {
    name: "codec, only to encode CONNECT, PUBLISH and SUBSCRIBE",
    source: `export { encodeConnect, encodePublish, encodeSubscribe } from "@tidewire/codec";`,
    builds: ["@tidewire/codec"],
    budget: 3.5 * KB,
    lacks: [/\bread[A-Z]/, /Decoder/, /TextDecoder/, /\bwrite(Connack|Ack|Suback|Uns|Ping|Disc|Auth)/, /reasonCodes\b/],
  },
  { name: "mqtt-packet", source: `export { default } from "mqtt-packet";` },
  { name: "u8-mqtt-packet", source: `export * from "u8-mqtt-packet";` },
];
