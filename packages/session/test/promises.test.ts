import { expect, test } from "vitest";
import { Pair } from "./pair.ts";

const message = (qos: 0 | 1 | 2, maybeSent = false) => {
  return { topic: "t", payload: new Uint8Array(1), qos, retain: false, properties: undefined, maybeSent };
};

function connected(): Pair {
  const pair = new Pair();
  pair.connect();
  pair.client.promised = false;
  pair.server.promised = false;
  return pair;
}

test.each([
  ["server", 0, false],
  ["server", 1, false],
  ["server", 2, true],
  ["client", 0, true],
  ["client", 1, true],
  ["client", 2, true],
] as const)("a %s's PUBLISH with QoS %i promises something: %s", (side, qos, promised) => {
  const pair = connected();
  pair[side].publish(message(qos), pair.now);
  expect(pair[side].promised).toBe(promised);
});

test("every answer promises something, a sign of life nothing", () => {
  const pair = connected();
  pair.client.publish(message(1), pair.now);
  pair.toServer();
  expect(pair.server.promised).toBe(true);
  pair.server.promised = false;
  pair.server.receive({ type: 12 }, pair.now);
  expect(pair.server.promised).toBe(false);
});

test("what may have been sent before goes with DUP [MQTT-3.3.1-1]", () => {
  const pair = connected();
  for (const maybeSent of [true, false]) {
    pair.server.publish(message(1, maybeSent), pair.now);
  }
  pair.exchange();
  expect(pair.sentByServer.filter(({ type }) => type === 3)).toMatchObject([{ dup: true }, { dup: false }]);
});
