import { type ConnectOptions, connect, createClient } from "@tidewire/client";
import { connect as connectLite, createClient as createLite } from "@tidewire/client/lite";
import { connect as connectMinimal } from "@tidewire/client/minimal";
import { mockNetwork } from "@tidewire/transport-mock";
import { expect, test } from "vitest";
import { mockWebSocket } from "./mock-web-socket.ts";
import { ScriptedServer } from "./scripted-server.ts";

// Field failure: "retry of what can never succeed: invalid options". Each is `invalid-argument`, names the option, and
// nothing is dialled, in all clients.

const will = { topic: "w", payload: "" };

const cases: readonly (readonly [field: string, options: unknown])[] = [
  ["version", { protocolVersion: 6 }],
  ["clientId", { clientId: 7 }],
  ["clientId", { protocolVersion: 4, clientId: "", cleanStart: false }],
  ["keepAlive", { keepAlive: 70_000 }],
  ["keepAlive", { keepAlive: -1 }],
  ["keepAlive", { keepAlive: 1.5 }],
  ["keepAlive", { keepAlive: "60" }],
  ["will", { will: { payload: "" } }],
  ["will", { will: { ...will, topic: "" } }],
  ["will", { will: { ...will, topic: "a/#" } }],
  ["will", { will: { ...will, qos: 3 } }],
  ["will", { will: { ...will, delay: -1 } }],
  ["username", { username: 7 }],
  ["username", { username: "\ud800" }],
  ["username", { protocolVersion: 4, password: "p" }],
  ["password", { password: 7 }],
  ["password", { protocolVersion: 4, username: "u", password: {} }],
  ["properties", { properties: { sessionExpiryInterval: 2 ** 33 } }],
  ["properties", { properties: { receiveMaximum: 0 } }],
  ["properties", { properties: { userProperties: [["a", 5]] } }],
  ["properties", { properties: { userProperties: { a: "b" } } }],
  ["properties", { properties: { unheardOf: 1 } }],
];

const wrong = (field: string) => ({
  code: "invalid-argument",
  message: expect.stringMatching(new RegExp(`${field} of CONNECT is not valid`)),
});

test.each(cases)("%s: %j", async (field, given) => {
  const network = mockNetwork();
  const server = new ScriptedServer(network);
  const { scheduler } = network;
  const options = { clientId: "c", scheduler, ...(given as ConnectOptions) };
  const whole = connect(network.dial, options).catch((error: unknown) => error);
  const lite = connectLite("ws://h", { ...options, WebSocket: mockWebSocket(network) } as never).catch(
    (error: unknown) => error,
  );
  const minimal =
    "cleanStart" in options
      ? undefined
      : connectMinimal("ws://h", { ...options, WebSocket: mockWebSocket(network) } as never).catch(
          (error: unknown) => error,
        );
  await network.pass(120_000);
  expect(await whole).toMatchObject(wrong(field));
  expect(await lite).toMatchObject(wrong(field));
  expect((await minimal) ?? wrong(field)).toMatchObject(wrong(field));
  expect(server.peers).toHaveLength(0);
});

test("the whole client also says what is allowed", async () => {
  const network = mockNetwork();
  await expect(connect(network.dial, { scheduler: network.scheduler, keepAlive: 70_000 })).rejects.toThrow(
    /whole seconds from 0 to 65535/,
  );
});

test.each(["/mqtt", "http://user:secret@h/mqtt", "ws://h/mqtt#frag", "ws://h:99999/mqtt", "mqtt://h"])(
  "a URL that is no WebSocket's, %s, has one answer from all clients",
  async (url) => {
    const network = mockNetwork();
    const options = { scheduler: network.scheduler, WebSocket: mockWebSocket(network) };
    const answers = [
      () => createClient(url, options),
      () => connect(url, options),
      () => connect(async () => url, options),
      () => createLite(url, options),
      () => connectLite(url, options),
      () => connectLite(() => url, options),
      () => connectMinimal(url, options),
    ].map(async (call) => {
      try {
        return await call();
      } catch (error) {
        return error;
      }
    });
    await network.pass(60_000);
    for (const answer of await Promise.all(answers)) {
      expect(answer).toMatchObject({ code: "invalid-argument", message: expect.stringContaining("wss://host/path") });
      expect((answer as Error).message).not.toContain("secret");
    }
  },
);

// Firefox refuses ws: URLs of a page from https:, at once and for good.
test("a URL that the platform's own constructor refuses is not tried again", async () => {
  class Refusing {
    constructor() {
      throw new DOMException("insecure", "SecurityError");
    }
  }
  const options = { WebSocket: Refusing as unknown as typeof WebSocket };
  for (const call of [connectLite, connectMinimal]) {
    await expect(call("ws://h", options)).rejects.toMatchObject({
      code: "invalid-argument",
      cause: { name: "SecurityError" },
    });
  }
});
