import { createDecoder, createPacketWriter, type Packet, type Properties } from "@tidewire/codec";
import { createInflight, createServerProtocol, type ProtocolEnd, type ServerProtocolHandler } from "@tidewire/session";
import { describe, expect, test } from "vitest";
import { endOf, message, names, Pair, type PairOptions } from "./pair.ts";

/*
 * Attack 26, and the first line of "Seen in Tidewire itself" in field-failures: an answer that does not fit the peer's
 * Maximum Packet Size was thrown out of a handler, and the connection never ended.
 */

const SIZES = Array.from({ length: 40 }, (_, index) => index + 1);
const TEXT = "why".repeat(20);
const EXPLAINED: Properties = { reasonString: TEXT, userProperties: [[TEXT, TEXT]] };

test("CONNACK that does not fit is not sent, nor anything in its place [MQTT-3.1.2-24]", () => {
  const bytes = Buffer.from("1012 00044D515454 05 02 003C 05 27 00000001 0000".replaceAll(" ", ""), "hex");
  for (const size of SIZES) {
    bytes[17] = size;
    for (const answer of ["accept", "accept with properties", "reject"] as const) {
      const ends: ProtocolEnd[] = [];
      const writer = createPacketWriter();
      const handler = { onEnd: (end: ProtocolEnd) => ends.push(end), onConnect: () => {} } as unknown;
      const server = createServerProtocol({ writer, now: 0, handler: handler as ServerProtocolHandler });
      const decoder = createDecoder({ sender: "client" });
      decoder.push(bytes);
      server.receive(decoder.next() as Packet, 0);
      const accepted =
        answer === "reject"
          ? server.reject(0x87, 1, EXPLAINED)
          : server.accept(
              {
                inflight: createInflight(),
                sessionPresent: false,
                properties: answer === "accept" ? undefined : { assignedClientIdentifier: "x".repeat(30) },
              },
              1,
            );
      const least = answer === "accept with properties" ? 38 : 5;
      expect([answer, size, writer.pendingBytes > 0]).toEqual([answer, size, size >= least]);
      expect(writer.pendingBytes).toBeLessThanOrEqual(size);
      if (answer === "reject") {
        expect(ends).toMatchObject([{ kind: "local", reasonCode: 0x87, flush: true }]);
      } else {
        expect(accepted).toBe(size >= least);
        expect(server.state).toBe(size >= least ? "connected" : "closed");
        expect(ends).toMatchObject(
          size >= least ? [] : [{ kind: "local", reasonCode: 0x95, flush: true, error: { code: "packet-too-large" } }],
        );
      }
    }
  }
});

/** What one end does, one after the other; a request that its peer does not take throws, and nothing else may. */
const ACTIONS: Record<string, (pair: Pair) => void> = {
  subscribe: (pair) =>
    attempt(() => pair.client.subscribe(Array(8).fill(subscription), pair.now, { userProperties: [[TEXT, TEXT]] })),
  unsubscribe: (pair) => attempt(() => pair.client.unsubscribe(Array(8).fill("a"), pair.now)),
  "client's QoS 1": (pair) => attempt(() => pair.client.publish(message("t", "p", 1), pair.now)),
  "client's QoS 2": (pair) => attempt(() => pair.client.publish(message("t", "p", 2), pair.now)),
  "server's QoS 1": (pair) => attempt(() => pair.server.publish(message("t", "p", 1), pair.now)),
  "server's QoS 2": (pair) => attempt(() => pair.server.publish(message("t", "p", 2), pair.now)),
  pings: (pair) => pair.advance(120_000),
  "forged requests": (pair) => {
    for (const packet of FORGED) {
      pair.forgeToServer(packet);
    }
  },
  "forged answers": (pair) => {
    for (const type of [4, 5, 6, 7] as const) {
      pair.forgeToClient({ type, packetId: 9, reasonCode: 0, properties: undefined });
    }
  },
  "re-authentication": (pair) => attempt(() => pair.client.reauthenticate(pair.now)),
  "client's disconnect": (pair) => pair.client.disconnect(0x04, pair.now, EXPLAINED),
  "server's disconnect": (pair) => pair.server.disconnect(0x8e, pair.now, EXPLAINED),
  failures: (pair) => {
    pair.client.fail(new Error("here"), pair.now);
    pair.server.fail(new Error("here"), pair.now);
  },
};

describe.each(["client", "server"] as const)("a %s that takes small packets only", (end) => {
  test.each(Object.keys(ACTIONS))("ends or goes on after %s, at every size", (name) => {
    for (const size of SIZES) {
      for (const resumed of [false, true]) {
        const pair = connected(end, size, resumed);
        (ACTIONS[name] as (pair: Pair) => void)(pair);
        pair.exchange();
        const sent = end === "client" ? pair.sentByServer : pair.sentByClient;
        expect(Math.max(0, ...sent.slice(end === "client" ? 0 : 1).map(lengthOf))).toBeLessThanOrEqual(size);
        for (const [protocol, events] of [
          [pair.client, pair.clientEvents],
          [pair.server, pair.serverEvents],
        ] as const) {
          expect(protocol.end === undefined).toBe(protocol.state !== "closed");
          if (protocol.end !== undefined) {
            expect(endOf(events)).toBe(protocol.end);
            expect(names(events).at(-1)).toBe("end");
          }
        }
      }
    }
  });
});

test("an answer that does not fit ends the connection, and DISCONNECT says why where that fits", () => {
  const pair = new Pair({ connect: { properties: { maximumPacketSize: 12 } } }).connect();
  pair.client.subscribe(Array(8).fill(subscription), 0);
  pair.exchange();
  expect(endOf(pair.serverEvents)).toMatchObject({
    kind: "local",
    reasonCode: 0x95,
    flush: true,
    error: { code: "packet-too-large", message: "The client takes no packet as large as a SUBACK that it is owed." },
  });
  expect(pair.sentByServer.at(-1)).toMatchObject({ type: 14, reasonCode: 0x95 });
});

test("an acknowledgement that does not fit takes nothing over", () => {
  const pair = new Pair({ connect: { properties: { maximumPacketSize: 5 } }, acknowledge: false }).connect();
  pair.client.publish(message("t", "p", 2), 0);
  pair.toServer();
  // CONNACK fits in five bytes, PUBREC in four: with three the client could not have been let in.
  expect(pair.server.acknowledge(1, 0x97, 0, undefined)).toBe(true);
  const tiny = new Pair({ connect: { version: 4 }, acknowledge: false });
  tiny.connect();
  tiny.client.publish(message("t", "p", 2), 0);
  tiny.toServer();
  tiny.serverWriter.maximumPacketSize = 3;
  expect(tiny.server.acknowledge(1, 0, 0)).toBe(false);
  expect(tiny.serverInflight.incomingCount).toBe(0);
  expect(endOf(tiny.serverEvents)).toMatchObject({ kind: "local", reasonCode: 0x95 });
});

test("the end is told even when what is called before it throws", () => {
  const pair = new Pair({
    server: {
      onDisconnect: () => {
        throw new Error("from onDisconnect");
      },
    },
  }).connect();
  pair.client.disconnect(0, 0);
  expect(() => pair.toServer()).toThrow("from onDisconnect");
  expect(endOf(pair.serverEvents)).toMatchObject({ kind: "remote", reasonCode: 0 });
});

const subscription = {
  filter: "a/+",
  qos: 1,
  noLocal: false,
  retainAsPublished: false,
  retainHandling: 0,
} as const;

const FORGED: readonly Packet[] = [
  { type: 12 },
  { type: 8, packetId: 1, subscriptions: Array(30).fill(subscription), properties: undefined },
  { type: 10, packetId: 2, filters: Array(30).fill("a"), properties: undefined },
  { type: 5, packetId: 3, reasonCode: 0, properties: undefined },
  { type: 6, packetId: 4, reasonCode: 0, properties: undefined },
  { type: 15, reasonCode: 0x19, properties: { authenticationMethod: "m" } },
];

/** Both ends, connected if the size allows, with messages in flight of an earlier connection if wanted. */
function connected(end: "client" | "server", size: number, resumed: boolean): Pair {
  const limit = { maximumPacketSize: size };
  const options: PairOptions = {
    connect: {
      keepAlive: 10,
      cleanStart: false,
      properties: { sessionExpiryInterval: 60, ...(end === "client" && limit) },
    },
    accept: { sessionPresent: resumed, properties: end === "server" ? limit : undefined },
    authenticator: { method: "m", start: () => Buffer.alloc(20), challenge: (_, respond) => respond(Buffer.alloc(20)) },
    server: { onAuth: () => {} },
  };
  const first = new Pair({ ...options, connect: { cleanStart: false }, accept: {}, acknowledge: false }).connect();
  if (resumed) {
    for (const qos of [1, 2] as const) {
      first.client.publish(message("t", "p", qos), 0);
      first.server.publish(message("t", "p", qos), 0);
      first.exchange();
    }
  }
  first.cut();
  const { clientInflight, serverInflight } = first;
  return new Pair({ ...options, clientInflight, serverInflight }).connect();
}

function attempt(action: () => void): void {
  try {
    action();
  } catch (error) {
    expect((error as { readonly code?: string }).code).toMatch(/^(packet-too-large|not-connected|quota-exhausted)$/);
  }
}

function lengthOf(packet: Packet): number {
  const writer = createPacketWriter({ version: 5 });
  writer.write(packet);
  return writer.pendingBytes;
}
