import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PacketType } from "@tidewire/codec";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Server } from "../src/server.ts";
import { sleep } from "../src/wait.ts";
import { Wire } from "../src/wire.ts";

const FILTER = "$share/group/shared/topic";
const TOPIC = "shared/topic";
let directory: string;
let server: Server;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), "tidewire-crash-"));
  server = new Server(directory);
  await server.start();
});

afterEach(async () => {
  await server.stop();
  rmSync(directory, { recursive: true });
});

test("a message in flight comes again after a kill with what belongs to it", async () => {
  const { wire } = await Wire.open(server.port, "subscriber", 5);
  await wire.subscribe(TOPIC, 1, 7);
  const publisher = await Wire.open(server.port, "publisher", 5);
  const properties = { messageExpiryInterval: 100, contentType: "text/plain", userProperties: [["a", "b"]] } as const;
  publisher.wire.publish(1, 1, false, TOPIC, "in flight", properties);
  const first = await wire.next(PacketType.PUBLISH);
  await publisher.wire.next(PacketType.PUBACK);
  await server.kill();
  await sleep(1100);
  await server.start();

  const again = await Wire.open(server.port, "subscriber", 5);
  expect(again.connack.sessionPresent).toBe(true);
  const second = await again.wire.next(PacketType.PUBLISH);
  const { messageExpiryInterval, ...others } = second.properties ?? {};
  expect({ ...second, properties: others }).toEqual({
    ...first,
    dup: true,
    properties: { contentType: "text/plain", userProperties: [["a", "b"]], subscriptionIdentifiers: [7] },
  });
  expect(messageExpiryInterval).toBeLessThan(100);
  expect(messageExpiryInterval).toBeGreaterThan(40);
  again.wire.close();
});

test("a message in flight to a session that ends after a kill goes to another member of the group", async () => {
  const { wire } = await Wire.open(server.port, "one", 5);
  await wire.subscribe(FILTER, 1);
  const publisher = await Wire.open(server.port, "publisher", 5);
  publisher.wire.publish(1, 1, false, TOPIC, "for one of the group");
  await wire.next(PacketType.PUBLISH);
  await publisher.wire.next(PacketType.PUBACK);
  await server.kill();
  await server.start();

  const two = await Wire.open(server.port, "two", 5);
  await two.wire.subscribe(FILTER, 1);
  const fresh = await Wire.open(server.port, "one", 5, { cleanStart: true });
  expect(fresh.connack.sessionPresent).toBe(false);
  const { payload } = await two.wire.next(PacketType.PUBLISH);
  expect(Buffer.from(payload).toString()).toBe("for one of the group");
  two.wire.close();
  fresh.wire.close();
});

test("what waited for a client that was connected goes with DUP after a kill, since it may have been sent", async () => {
  const publisher = await Wire.open(server.port, "publisher", 5);
  for (const clientId of ["connected", "away"]) {
    const { wire } = await Wire.open(server.port, clientId, 5, { properties: oneAtATime });
    await wire.subscribe(TOPIC, 1);
    if (clientId === "away") {
      wire.close();
    }
  }
  await sleep(100);
  for (let packetId = 1; packetId <= 3; packetId += 1) {
    publisher.wire.publish(packetId, 1, false, TOPIC, `${packetId}`);
    await publisher.wire.next(PacketType.PUBACK);
  }
  // A second restart makes no difference: nobody knows more by then.
  for (let restart = 0; restart < 2; restart += 1) {
    await server.kill();
    await server.start();
  }
  for (const [clientId, dup] of [
    ["connected", true],
    ["away", false],
  ] as const) {
    const { wire } = await Wire.open(server.port, clientId, 5, { properties: oneAtATime });
    for (const text of ["1", "2", "3"]) {
      const packet = await wire.next(PacketType.PUBLISH);
      expect([Buffer.from(packet.payload).toString(), packet.dup]).toEqual([text, dup]);
      wire.acknowledge(PacketType.PUBACK, packet.packetId);
    }
    wire.close();
  }
});

const oneAtATime = { receiveMaximum: 1, sessionExpiryInterval: 3600 };

test("wills and expiry go on where they were, by the wall clock", async () => {
  const { wire } = await Wire.open(server.port, "subscriber", 5);
  await wire.subscribe("will/#", 1);
  const will = (name: string, willDelayInterval: number) => {
    const payload = Buffer.from(name);
    return { topic: `will/${name}`, payload, qos: 1, retain: false, properties: { willDelayInterval } } as const;
  };
  await Wire.open(server.port, "connected", 5, { will: will("connected", 0) });
  const delayed = await Wire.open(server.port, "delayed", 5, { will: will("delayed", 2) });
  delayed.wire.close();
  const short = await Wire.open(server.port, "short", 5, { properties: { sessionExpiryInterval: 1 } });
  short.wire.close();
  const back = await Wire.open(server.port, "back", 5, { will: will("back", 30) });
  back.wire.close();
  await sleep(300);
  await server.kill();
  await sleep(1000);
  await server.start();

  // Who comes back before its time has no will published.
  const again = await Wire.open(server.port, "back", 5);
  expect(again.connack.sessionPresent).toBe(true);
  const expired = await Wire.open(server.port, "short", 5);
  expect(expired.connack.sessionPresent).toBe(false);
  const resumed = await Wire.open(server.port, "subscriber", 5);
  const published = [];
  for (let packet = await resumed.wire.poll(3000); packet !== undefined; packet = await resumed.wire.poll(3000)) {
    if (packet.type !== PacketType.PUBLISH) {
      continue;
    }
    published.push(packet.topic);
    resumed.wire.acknowledge(PacketType.PUBACK, packet.packetId);
  }
  expect(published.sort()).toEqual(["will/connected", "will/delayed"]);
});
