import "fake-indexeddb/auto";
import { type Client, createClient } from "@tidewire/client";
import { createDecoder, encode, type PublishPacket } from "@tidewire/codec";
import { indexedDbStore } from "@tidewire/store-indexeddb";
import { mockNetwork } from "@tidewire/transport-mock";
import { expect, test } from "vitest";

// The client with this store, ended as a page is: without a word.

const network = mockNetwork({ transcript: false });
let count = 0;

interface Server {
  readonly published: PublishPacket[];
  answers: boolean;
}

/** A server that has a session for everybody, and acknowledges when it is told to. */
function listen(address: string): Server {
  const server: Server = { published: [], answers: true };
  void network.listenOn(address)((connection) => {
    const decoder = createDecoder();
    const send = (packet: Parameters<typeof encode>[0]) => connection.send([encode(packet, 5)]);
    const properties = undefined;
    connection.start({
      onData(chunk) {
        decoder.push(chunk);
        for (let packet = decoder.next(); packet !== null; packet = decoder.next()) {
          if (packet.type === 1) {
            send({ type: 2, sessionPresent: !packet.cleanStart, reasonCode: 0, properties });
          }
          if (packet.type !== 3) {
            continue;
          }
          server.published.push(packet);
          if (server.answers) {
            send({ type: 4, packetId: packet.packetId, reasonCode: 0, properties });
          }
        }
      },
      onDrain() {},
      onClose() {},
    });
  });
  return server;
}

function open(address: string, clientId: string): Client {
  return createClient(network.dialTo(address), {
    clientId,
    store: indexedDbStore(),
    scheduler: network.scheduler,
    reconnect: { random: () => 0.5 },
  });
}

/** IndexedDB has its own time. */
async function settle(): Promise<void> {
  for (let i = 0; i < 10; i += 1) {
    await network.pass(100);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

const texts = (packets: readonly PublishPacket[]) => packets.map(({ payload }) => new TextDecoder().decode(payload));

test("offline messages never reach the persistent store (#607, #398)", async () => {
  count += 1;
  const [address, clientId] = [`a${count}`, `c${count}`];
  const before = open(address, clientId);
  for (const payload of ["1", "2", "3"]) {
    before.publish("t", payload, { qos: 1 }).catch(() => {});
  }
  const persisted = before.persisted();
  await settle();
  await persisted;
  const server = listen(address);
  open(address, clientId);
  await settle();
  expect(texts(server.published.filter(({ dup }) => !dup)).slice(0, 3)).toEqual(["1", "2", "3"]);
});

test("in flight when the page ended: sent again with DUP and the same packet id, in order, then done", async () => {
  count += 1;
  const [address, clientId] = [`a${count}`, `c${count}`];
  const server = listen(address);
  server.answers = false;
  const before = open(address, clientId);
  for (const payload of ["1", "2"]) {
    before.publish("t", payload, { qos: 1 }).catch(() => {});
  }
  await settle();
  const first = server.published.splice(0);
  expect(texts(first)).toEqual(["1", "2"]);
  server.answers = true;
  const after = open(address, clientId);
  await settle();
  expect(server.published.map(({ dup, packetId }) => [dup, packetId])).toEqual(
    first.map(({ packetId }) => [true, packetId]),
  );
  await after.flush();
  await after.persisted();
  server.published.length = 0;
  open(address, clientId);
  await settle();
  expect(server.published).toEqual([]);
});

test("messages published before the store is open do not overwrite what it holds", async () => {
  // They had the same sequence numbers: the stored ones were deleted with the next commit, and lost with the next page.
  count += 1;
  const [address, clientId] = [`a${count}`, `c${count}`];
  for (const payload of ["1", "2"]) {
    const page = open(address, clientId);
    page.publish("t", payload, { qos: 1 }).catch(() => {});
    const persisted = page.persisted();
    await settle();
    await persisted;
  }
  const server = listen(address);
  open(address, clientId);
  await settle();
  expect(new Set(texts(server.published))).toEqual(new Set(["1", "2"]));
});

test("a store that cannot be opened closes the client, with the reason", async () => {
  const store = {
    ...indexedDbStore(),
    open: () => Promise.reject(new Error("no disk")),
    close: () => Promise.resolve(),
  };
  const client = createClient(network.dial, { clientId: "x", store, scheduler: network.scheduler });
  const errors: unknown[] = [];
  client.on("error", (error) => errors.push(error));
  const waiting = client.publish("t", "").catch((error: unknown) => error);
  await settle();
  expect(client.status).toBe("closed");
  expect(await waiting).toMatchObject({ code: "store-failed" });
  expect(errors).toMatchObject([{ code: "store-failed", cause: { message: "no disk" } }]);
});
