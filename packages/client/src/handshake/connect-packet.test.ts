import { expect, test } from "vitest";
import { defaultLimits } from "../limits.ts";
import type { ConnectOptions } from "./connect-options.ts";
import { connectPacket } from "./connect-packet.ts";

const packet = (options: ConnectOptions, version: 4 | 5 = 5, resume = false) =>
  connectPacket({ options, version, limits: defaultLimits }, "c", resume);

test("what nobody set has its default", async () => {
  expect(await packet({})).toMatchObject({
    clientId: "c",
    cleanStart: true,
    keepAlive: 60,
    will: undefined,
    username: undefined,
    password: undefined,
    properties: { sessionExpiryInterval: 300, receiveMaximum: 1_024, maximumPacketSize: 16_777_216 },
  });
  expect((await packet({}, 4)).properties).toBeUndefined();
});

test("a session that is to be kept is resumed from the first connection on, another from the second on", async () => {
  const start = async (options: ConnectOptions, version: 4 | 5, resume: boolean) =>
    (await packet(options, version, resume)).cleanStart;
  expect(await start({}, 5, true)).toBe(false);
  expect(await start({ cleanStart: true }, 5, true)).toBe(false);
  expect(await start({ sessionExpiryInterval: 60 }, 5, false)).toBe(false);
  expect(await start({ store: {} as never }, 5, false)).toBe(false);
  expect(await start({ cleanStart: true, sessionExpiryInterval: 60 }, 5, false)).toBe(true);
  // In 3.1.1 it also says that the session ends with the connection.
  expect(await start({}, 4, true)).toBe(true);
});

test("credentials come from the function when there is one, else from the options; properties of the caller win", async () => {
  const given = await packet({
    ...{ username: "u", password: "p", credentials: async () => ({ username: "v", password: new Uint8Array([1]) }) },
    properties: { receiveMaximum: 3, requestProblemInformation: false },
  });
  expect(given).toMatchObject({ username: "v", password: new Uint8Array([1]) });
  expect(given.properties).toMatchObject({ receiveMaximum: 3, requestProblemInformation: false });
  expect(await packet({ username: "u", password: "p" })).toMatchObject({
    username: "u",
    password: new TextEncoder().encode("p"),
  });
});

test("the will's delay and properties are MQTT 5's", async () => {
  const will = { topic: "w", payload: "x", delay: 5, properties: { contentType: "t" } };
  expect((await packet({ will })).will).toEqual({
    topic: "w",
    payload: new TextEncoder().encode("x"),
    qos: 0,
    retain: false,
    properties: { contentType: "t", willDelayInterval: 5 },
  });
  expect((await packet({ will: { topic: "w", payload: "x", qos: 1, retain: true } }, 4)).will).toMatchObject({
    qos: 1,
    retain: true,
    properties: undefined,
  });
});
