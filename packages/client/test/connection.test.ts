import { connect, createClient, enhancedAuthentication, type Status } from "@tidewire/client";
import { PacketType } from "@tidewire/codec";
import { mockNetwork } from "@tidewire/transport-mock";
import { expect, test } from "vitest";
import { newClient, outcome, setUp, setUpConnected } from "./harness.ts";
import { connack, disconnect, message, ScriptedServer } from "./scripted-server.ts";

test("connect resolves at CONNACK with a client that is connected", async () => {
  const network = mockNetwork();
  const server = new ScriptedServer(network);
  const connecting = connect(network.dial, { scheduler: network.scheduler, clientId: "c", keepAlive: 30 });
  await network.settle();
  const client = await connecting;
  expect(client.connected).toBe(true);
  expect(client.status).toBe("connected");
  expect(server.received(PacketType.CONNECT)).toMatchObject([
    { version: 5, clientId: "c", cleanStart: true, keepAlive: 30, properties: { sessionExpiryInterval: 300 } },
  ]);
});

test("connect rejects at once when the server refuses for good, with its reason code", async () => {
  const network = mockNetwork();
  const server = new ScriptedServer(network);
  server.script = () => connack({ reasonCode: 0x87 });
  const refused = outcome(connect(network.dial, { scheduler: network.scheduler }));
  await network.settle();
  expect(refused.value).toMatchObject({ name: "ClientError", code: "refused", reasonCode: 0x87 });
  await network.pass(120_000);
  expect(server.peers).toHaveLength(1);
});

test("a 3.1.1 refusal carries the MQTT 5 code of the same meaning", async () => {
  const network = mockNetwork();
  const server = new ScriptedServer(network);
  server.script = () => connack({ reasonCode: 4 });
  const refused = outcome(connect(network.dial, { scheduler: network.scheduler, protocolVersion: 4 }));
  await network.settle();
  expect(refused.value).toMatchObject({ code: "refused", reasonCode: 0x86 });
});

test("connect tries again until its time is up, and says why the last attempt failed", async () => {
  const network = mockNetwork();
  const late = outcome(connect(network.dial, { scheduler: network.scheduler, connectTimeoutMs: 5_000 }));
  await network.pass(4_999);
  expect(late.value).toBe("pending");
  await network.pass(2);
  expect(late.value).toMatchObject({ code: "timeout", cause: { code: "connection-lost", cause: { code: "refused" } } });
});

test("connect is aborted by its signal, which later closes the client", async () => {
  const network = mockNetwork();
  const early = new AbortController();
  const aborted = outcome(connect(network.dial, { scheduler: network.scheduler, signal: early.signal }));
  await network.settle();
  early.abort("enough");
  await network.settle();
  expect(aborted.value).toMatchObject({ code: "aborted", cause: "enough" });

  new ScriptedServer(network);
  const later = new AbortController();
  const connecting = connect(network.dial, { scheduler: network.scheduler, signal: later.signal });
  await network.settle();
  later.abort();
  await network.settle();
  expect((await connecting).status).toBe("closed");
});

test("a server that accepts the connection and says nothing is given up after connectTimeoutMs", async () => {
  const { network, server, client } = setUp({ connectTimeoutMs: 2_000 });
  server.script = () => undefined;
  await network.pass(1_999);
  expect(server.peers).toHaveLength(1);
  expect(server.peers[0]!.closed).toBe(false);
  await network.pass(3_000);
  expect(server.peers[0]!.closed).toBe(true);
  expect(server.peers.length).toBeGreaterThan(1);
  expect(client.status).toBe("connecting");
});

test("credentials and target are asked for again at each attempt", async () => {
  const network = mockNetwork();
  const server = new ScriptedServer(network);
  let asked = 0;
  let dialled = 0;
  const client = createClient(
    async (options) => {
      dialled += 1;
      return network.dial(options);
    },
    {
      scheduler: network.scheduler,
      reconnect: { random: () => 0.5 },
      credentials: async () => {
        asked += 1;
        return { username: "u", password: `token-${asked}` };
      },
    },
  );
  await network.settle();
  server.last.connection.abort();
  await network.pass(1_000);
  expect(client.connected).toBe(true);
  expect(dialled).toBe(2);
  const passwords = server.received(PacketType.CONNECT).map(({ password }) => new TextDecoder().decode(password));
  expect(passwords).toEqual(["token-1", "token-2"]);
});

test("a credentials provider that fails counts as a failed attempt", async () => {
  let works = false;
  const { network, client } = setUp({
    credentials: () => {
      if (!works) {
        throw new Error("no token");
      }
      return { username: "u" };
    },
  });
  await network.settle();
  works = true;
  await network.pass(1_000);
  expect(client.connected).toBe(true);
});

test("statuses come as events, as an iterator, and end with closed", async () => {
  const { network, server, client } = setUp();
  const events: Status[] = [];
  client.on("status", (status) => events.push(status));
  const read: Status[] = [];
  const reading = (async () => {
    for await (const status of client.statusUpdates()) {
      read.push(status);
    }
  })();
  await network.settle();
  server.last.connection.abort();
  await network.pass(1_000);
  const closing = client.close();
  await network.settle();
  await closing;
  await reading;
  expect(events).toEqual(["connected", "reconnecting", "connected", "closed"]);
  expect(read).toEqual(["connecting", "connected", "reconnecting", "connected", "closed"]);
});

test("close sends DISCONNECT and nothing after it, and ends a session that nobody asked to be kept", async () => {
  const { network, server, client } = await setUpConnected();
  const closing = client.close();
  await network.settle();
  await closing;
  expect(server.last.packets.at(-1)).toMatchObject({
    type: PacketType.DISCONNECT,
    reasonCode: 0,
    properties: { sessionExpiryInterval: 0 },
  });
  expect(server.last.closed).toBe(true);
  await expect(client.publish("t", "x")).rejects.toMatchObject({ code: "closed" });
  await expect(client.subscribe("t")).rejects.toMatchObject({ code: "closed" });
  await client.close();
  await network.pass(60_000);
  expect(server.peers).toHaveLength(1);
});

test("close keeps a session that was asked for, and can have the will published", async () => {
  const { network, server, client } = await setUpConnected({ sessionExpiryInterval: 3_600 });
  void client.close({ reasonCode: 4 });
  await network.settle();
  expect(server.last.packets.at(-1)).toMatchObject({ reasonCode: 4, properties: undefined });
});

test("close settles against a peer that never reads or closes", async () => {
  const { network, client } = await setUpConnected();
  network.stall();
  const closed = outcome(client.close());
  await network.pass(6_000);
  expect(closed.value).toBeUndefined();
});

test("close before the first connection stops the attempt", async () => {
  const { network, server, client } = setUp();
  const closed = outcome(client.close());
  await network.pass(60_000);
  expect(closed.value).toBeUndefined();
  expect(server.received(PacketType.CONNECT)).toHaveLength(0);
  expect(client.status).toBe("closed");
});

test("'use another server' is followed once, 'server moved' for good", async () => {
  const network = mockNetwork();
  const here = new ScriptedServer(network);
  const there = new ScriptedServer(network, "there");
  here.script = () => connack({ reasonCode: 0x9c, properties: { serverReference: "there" } });
  const client = newClient(network, { redirect: (reference) => network.dialTo(reference) });
  await network.settle();
  await network.pass(1);
  expect(client.connected).toBe(true);
  expect([here.peers.length, there.peers.length]).toEqual([1, 1]);

  here.script = () => connack({ reasonCode: 0x9d, properties: { serverReference: "there" } });
  there.last.send(disconnect(0x8b));
  await network.pass(2_000);
  expect([here.peers.length, there.peers.length]).toEqual([2, 2]);
  there.last.send(disconnect(0x8b));
  await network.pass(2_000);
  expect([here.peers.length, there.peers.length]).toEqual([2, 3]);
});

test("a loop of redirects ends", async () => {
  const network = mockNetwork();
  const server = new ScriptedServer(network);
  server.script = () => connack({ reasonCode: 0x9c, properties: { serverReference: "mock" } });
  newClient(network, { redirect: (reference) => network.dialTo(reference), reconnect: { random: () => 0.5 } });
  await network.pass(400);
  expect(server.peers).toHaveLength(5);
});

test("without reconnect the client closes with its connection", async () => {
  const { network, server, client } = setUp({ reconnect: false });
  await network.settle();
  server.last.connection.abort();
  await network.settle();
  expect(client.status).toBe("closed");
});

test("maxAttempts bounds the attempts in a row", async () => {
  const network = mockNetwork();
  const client = newClient(network, { reconnect: { maxAttempts: 3, random: () => 0.5 } });
  client.on("error", () => {});
  let attempts = 0;
  client.on("status", (_status, { attempt }) => {
    attempts = attempt ?? attempts;
  });
  await network.pass(60_000);
  expect(attempts).toBe(3);
  expect(client.status).toBe("closed");
});

test("the client id that the server assigns is used from then on", async () => {
  const { network, server, client } = await setUpConnected({ clientId: "" }, (server) => {
    server.connackProperties = { assignedClientIdentifier: "assigned" };
  });
  expect(client.clientId).toBe("assigned");
  server.last.connection.abort();
  await network.pass(1_000);
  expect(server.received(PacketType.CONNECT).map(({ clientId }) => clientId)).toEqual(["", "assigned"]);
});

test("later connections resume the session in MQTT 5; in 3.1.1 the flag stays as it was", async () => {
  for (const [protocolVersion, expected] of [
    [5, [true, false]],
    [4, [true, true]],
  ] as const) {
    const { network, server } = await setUpConnected({ protocolVersion });
    server.last.connection.abort();
    await network.pass(1_000);
    expect(server.received(PacketType.CONNECT).map(({ cleanStart }) => cleanStart)).toEqual(expected);
  }
});

test("a URL that is no WebSocket's is refused at once, without repeating its credentials", () => {
  expect(() => createClient("mqtt://user:secret@host")).toThrow(/tcp/);
  expect(() => createClient("mqtt://user:secret@host")).not.toThrow(/secret/);
});

test("when the browser says that it is online again, the next attempt starts at once", async () => {
  const browser = new EventTarget();
  const scope = globalThis as Record<string, unknown>;
  scope.addEventListener = browser.addEventListener.bind(browser);
  scope.removeEventListener = browser.removeEventListener.bind(browser);
  try {
    const network = mockNetwork();
    const client = newClient(network);
    await network.pass(20_000);
    const server = new ScriptedServer(network);
    browser.dispatchEvent(new Event("online"));
    await network.settle();
    expect(client.connected).toBe(true);
    const closing = client.close();
    await network.settle();
    await closing;
    browser.dispatchEvent(new Event("online"));
    await network.settle();
    expect(server.peers).toHaveLength(1);
  } finally {
    delete scope.addEventListener;
    delete scope.removeEventListener;
  }
});

test("a packet above the size that CONNECT announced ends the connection", async () => {
  const { network, server, client } = await setUpConnected({ properties: { maximumPacketSize: 100 } });
  server.last.send(message("t", { payload: new Uint8Array(200) }));
  await network.settle();
  expect(server.received(PacketType.DISCONNECT)).toMatchObject([{ reasonCode: 0x95 }]);
  await network.pass(1_000);
  expect(client.connected).toBe(true);
});

test("reauthenticate runs the exchange anew; without an authenticator or a connection it rejects", async () => {
  const { network, server, client } = setUp({
    authenticator: () =>
      enhancedAuthentication({
        method: "m",
        start: () => new Uint8Array([1]),
        challenge: (data, respond) => respond(data),
      }),
  });
  await expect(client.reauthenticate()).rejects.toMatchObject({ code: "connection-lost" });
  server.connackProperties = { authenticationMethod: "m" };
  server.script = (packet) =>
    packet.type === PacketType.AUTH
      ? { type: PacketType.AUTH, reasonCode: 0, properties: { authenticationMethod: "m" } }
      : "usual";
  await network.settle();
  const again = outcome(client.reauthenticate());
  await network.settle();
  expect(again.value).toBeUndefined();
  expect(server.received(PacketType.AUTH)).toMatchObject([{ reasonCode: 0x19 }]);
  server.script = (packet) => (packet.type === PacketType.AUTH ? undefined : "usual");
  const lost = outcome(client.reauthenticate());
  await network.settle();
  server.last.connection.abort();
  await network.settle();
  expect(lost.value).toMatchObject({ code: "connection-lost" });
  const plain = await setUpConnected();
  await expect(plain.client.reauthenticate()).rejects.toMatchObject({ code: "invalid-argument" });
});

test("a function among the options that throws closes the client with the reason, and harms nothing else", async () => {
  const network = mockNetwork();
  const server = new ScriptedServer(network);
  server.script = () => connack({ reasonCode: 0x89 });
  const client = newClient(network, {
    reconnect: {
      isFatal: () => {
        throw new Error("mine");
      },
    },
  });
  const errors: unknown[] = [];
  client.on("error", (error) => errors.push(error));
  await network.settle();
  expect(client.status).toBe("closed");
  expect(errors).toMatchObject([{ code: "handler-failed", cause: { message: "mine" } }]);
  const aborted = newClient(network, { signal: AbortSignal.abort() });
  await network.pass(1_000);
  expect(aborted.status).toBe("closed");
  expect(server.peers).toHaveLength(1);
});
