import { mockNetwork } from "@tidewire/transport-mock";
import { afterEach, expect, test, vi } from "vitest";
import { mockWebSocket } from "../../test/mock-web-socket.ts";
import { ScriptedServer } from "../../test/scripted-server.ts";
import { PacketIds } from "../socket/index.ts";
import { createClient } from "./index.ts";

afterEach(() => {
  vi.restoreAllMocks();
});

// Counted, instead of used up: there are 65,535 of them.
test("identifiers come back from exchanges, from refused requests and from requests that the connection took with it", async () => {
  const used = new Set<number>();
  const take = PacketIds.prototype.take;
  vi.spyOn(PacketIds.prototype, "take").mockImplementation(function (this: PacketIds) {
    const packetId = take.call(this);
    used.add(packetId);
    return packetId;
  });
  const free = PacketIds.prototype.free;
  vi.spyOn(PacketIds.prototype, "free").mockImplementation(function (this: PacketIds, packetId) {
    used.delete(packetId);
    free.call(this, packetId);
  });
  const network = mockNetwork({ transcript: false });
  const server = new ScriptedServer(network);
  server.sessionPresent = true;
  const client = createClient("ws://server.example/mqtt", {
    clientId: "c",
    scheduler: network.scheduler,
    WebSocket: mockWebSocket(network),
    reconnect: { random: () => 0.5 },
    sessionExpiryInterval: 60,
  });
  await network.settle();
  const exchanges = ([0, 1, 2] as const).map((qos) => client.publish("t", "", { qos }));
  const subscribing = client.subscribe("t", { onMessage: () => {} });
  const refused = client.subscribe("#/#", { onMessage: () => {} });
  await expect(refused).rejects.toMatchObject({ code: "invalid-argument" });
  expect(used.size).toBe(3);
  await network.pass(100);
  await Promise.all(exchanges);
  expect(used.size).toBe(0);

  server.script = (packet) => (packet.type === 1 ? "usual" : undefined);
  const left = (await subscribing).unsubscribe();
  const asked = client.subscribe("u", { onMessage: () => {} });
  await network.settle();
  expect(used.size).toBe(2);
  server.script = () => "usual";
  network.cut();
  await network.pass(1_000);
  await Promise.all([left, asked]);
  expect(used.size).toBe(0);
});
