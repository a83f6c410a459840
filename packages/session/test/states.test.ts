import { PacketType } from "@tidewire/codec";
import { clientStates, serverStates } from "@tidewire/session";
import { describe, expect, test } from "vitest";
import { forged } from "./packets.ts";
import { connectPacket, endOf, Pair } from "./pair.ts";
import { statePage } from "./state-diagrams.ts";

test("docs/session-states.md shows the tables as they are", async () => {
  const page = statePage([
    { title: "Client", table: clientStates },
    { title: "Server", table: serverStates },
  ]);
  await expect(page).toMatchFileSnapshot("../../../docs/session-states.md");
});

/** Brings a pair into each state, by the end that is looked at. */
const clients: Record<string, () => Pair> = {
  idle: () => new Pair(),
  connecting: () => {
    const pair = new Pair({ onConnect: () => {} });
    pair.client.open(0);
    return pair;
  },
  authenticating: () => {
    const pair = new Pair({
      authenticator: { method: "m", start: () => undefined, challenge: () => {} },
      onConnect: (self) => self.server.authContinue(undefined, 0),
    });
    return pair.connect();
  },
  connected: () => new Pair().connect(),
};

const servers: Record<string, () => Pair> = {
  "awaiting-connect": () => new Pair(),
  "awaiting-accept": () => new Pair({ onConnect: () => {} }).connect(),
  authenticating: clients.authenticating as () => Pair,
  connected: () => new Pair().connect(),
};

const types = Object.entries(PacketType);

describe("a packet that has no transition ends the session as a violation", () => {
  for (const [state, prepare] of Object.entries(clients)) {
    for (const [name, type] of types) {
      if (type in clientStates[state as keyof typeof clientStates]) {
        continue;
      }
      test(`client, ${state}, ${name}`, () => {
        const pair = prepare();
        pair.forgeToClient(forged(type));
        expect(endOf(pair.clientEvents)).toMatchObject({ kind: "violation", error: { code: "packet-unexpected" } });
      });
    }
  }
  for (const [state, prepare] of Object.entries(servers)) {
    for (const [name, type] of types) {
      if (type in serverStates[state as keyof typeof serverStates]) {
        continue;
      }
      test(`server, ${state}, ${name}`, () => {
        const pair = prepare();
        pair.forgeToServer(forged(type));
        const code =
          state === "awaiting-connect"
            ? "first-packet-not-connect"
            : name === "CONNECT"
              ? "second-connect"
              : "packet-unexpected";
        expect(endOf(pair.serverEvents)).toMatchObject({ kind: "violation", error: { code } });
      });
    }
  }
});

describe("a request that has no transition is refused and changes nothing", () => {
  test("client", () => {
    const pair = new Pair({ onConnect: () => {} });
    const { client } = pair;
    const message = { topic: "t", payload: new Uint8Array(0), qos: 1, retain: false, properties: undefined } as const;
    const refused = (request: () => unknown, code: string): void =>
      expect(request).toThrow(expect.objectContaining({ kind: "misuse", code }));
    for (const state of ["idle", "connecting"]) {
      expect(client.state).toBe(state);
      refused(() => client.publish(message, 0), "not-connected");
      refused(() => client.subscribe([], 0), "not-connected");
      refused(() => client.unsubscribe([], 0), "not-connected");
      refused(() => client.acknowledge(1, 0, 0), "not-connected");
      refused(() => client.reauthenticate(0), "not-connected");
      if (state === "idle") {
        client.open(0);
      }
    }
    refused(() => client.open(0), "already-open");
    client.disconnect(0, 0);
    expect(client.state).toBe("closed");
    refused(() => client.publish(message, 0), "not-connected");
    expect(client.acknowledge(1, 0, 0)).toBe(false);
    client.disconnect(0, 0);
    expect(endOf(pair.clientEvents).kind).toBe("local");
  });

  test("server", () => {
    const pair = new Pair({ onConnect: () => {} });
    const { server } = pair;
    const options = { inflight: pair.serverInflight, sessionPresent: false, properties: undefined };
    const refused = (request: () => unknown, code: string): void =>
      expect(request).toThrow(expect.objectContaining({ kind: "misuse", code }));
    refused(() => server.accept(options, 0), "not-asked");
    refused(() => server.reject(0x87, 0), "not-asked");
    refused(() => server.authContinue(undefined, 0), "not-asked");
    refused(() => server.authSuccess(undefined, 0), "authentication-not-running");
    refused(() => server.disconnect(0, 0), "not-connected");
    pair.forgeToServer(connectPacket());
    refused(() => server.authContinue(undefined, 0), "authentication-not-asked-for");
    refused(() => server.accept({ ...options, sessionPresent: true }, 0), "session-present-after-clean-start");
    server.accept(options, 0);
    refused(() => server.accept(options, 0), "not-asked");
    refused(() => server.suback(1, [0], 0), "answer-not-owed");
    refused(() => server.acknowledge(1, 0, 0), "answer-not-owed");
  });
});
