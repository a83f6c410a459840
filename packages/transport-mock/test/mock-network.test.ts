import type { CloseInfo, Connection } from "@tidewire/transport";
import { type MockNetworkOptions, mockNetwork } from "@tidewire/transport-mock";
import { describe, expect, it } from "vitest";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Collects what a connection receives, as text, and how it closes. */
class Collected {
  readonly chunks: string[] = [];
  closeInfo: CloseInfo | undefined;

  constructor(connection: Connection) {
    connection.start({
      onData: (chunk) => this.chunks.push(decoder.decode(chunk)),
      onDrain: () => {},
      onClose: (info) => {
        this.closeInfo = info;
      },
    });
  }
}

function send(connection: Connection, ...texts: string[]): void {
  for (const text of texts) {
    connection.send([encoder.encode(text)]);
  }
}

describe("mockNetwork", () => {
  it("carries bytes and ends without a promise, after the latency", () => {
    const network = mockNetwork({ latencyMs: 5 });
    const { client, server } = network.pair();
    const [atClient, atServer] = [new Collected(client), new Collected(server)];
    send(client, "ping");
    expect(atServer.chunks).toEqual([]);
    network.run();
    expect([atServer.chunks, network.scheduler.now()]).toEqual([["ping"], 5]);
    send(server, "pong");
    client.close();
    network.run();
    expect(atClient.chunks).toEqual([]);
    expect([atClient.closeInfo, atServer.closeInfo]).toEqual([
      { initiator: "local", clean: true },
      { initiator: "remote", clean: true },
    ]);
    network.assertAllClosed();
  });

  it("does the same again for the same seed, and something else for another", () => {
    const transcriptOf = (seed: number): string => {
      const network = mockNetwork({ seed, latencyMs: [1, 9], chunking: "random" });
      const { client, server } = network.pair();
      new Collected(server);
      new Collected(client);
      for (let i = 0; i < 20; i += 1) {
        send(client, `message ${i}`);
        network.advance(2);
      }
      network.run();
      return network.transcript.toString();
    };
    expect(transcriptOf(3)).toBe(transcriptOf(3));
    expect(transcriptOf(3)).not.toBe(transcriptOf(4));
  });

  it.each([
    ["as-sent", ["abc", "defg"]],
    ["merge", ["abcdefg"]],
    ["bytes", ["a", "b", "c", "d", "e", "f", "g"]],
  ] as const)("cuts chunks %s", (chunking, expected) => {
    const network = mockNetwork({ chunking });
    const { client, server } = network.pair();
    const collected = new Collected(server);
    send(client, "abc", "defg");
    network.run();
    expect(collected.chunks).toEqual(expected);
  });

  it("splits at places that the seed chooses, and loses nothing", () => {
    const network = mockNetwork({ chunking: "split", seed: 5 });
    const { client, server } = network.pair();
    const collected = new Collected(server);
    send(client, "abcdefghij".repeat(10));
    network.run();
    expect(collected.chunks.length).toBeGreaterThan(2);
    expect(collected.chunks.join("")).toBe("abcdefghij".repeat(10));
  });

  it("holds everything back in a stall, data, ends and dials, and tells nobody", async () => {
    const network = mockNetwork();
    await network.listen(() => {});
    const { client, server } = network.pair();
    const [atClient, atServer] = [new Collected(client), new Collected(server)];
    network.stall();
    send(client, "late");
    let dialled = false;
    network.dial().then(() => {
      dialled = true;
    });
    await network.pass(60_000);
    expect([atServer.chunks, atServer.closeInfo, dialled]).toEqual([[], undefined, false]);
    server.abort();
    await network.settle();
    expect(atClient.closeInfo).toBeUndefined();
    network.unstall();
    await network.settle();
    expect(atClient.closeInfo).toMatchObject({ initiator: "remote", clean: false });
    expect(dialled).toBe(true);
  });

  it("cuts after a number of bytes, in the middle of a chunk", () => {
    const network = mockNetwork({ byteBudget: 10 });
    const { client, server } = network.pair();
    const [atClient, atServer] = [new Collected(client), new Collected(server)];
    send(client, "1234567", "89abcdef");
    network.run();
    expect(atServer.chunks.join("")).toBe("123456789a");
    const cut = { initiator: "remote", clean: false, error: { code: "reset" } };
    expect([atClient.closeInfo, atServer.closeInfo]).toMatchObject([cut, cut]);
  });

  it("refuses a dial where nobody listens, and listens at several addresses", async () => {
    const network = mockNetwork();
    const accepted: string[] = [];
    for (const address of ["one", "two"]) {
      await network.listenOn(address)((connection) => accepted.push(`${address} ${connection.info.localAddress}`));
    }
    await expect(network.listenOn("one")(() => {})).rejects.toMatchObject({ code: "address-in-use" });
    const refused = expect(network.dialTo("three")()).rejects.toMatchObject({ code: "refused" });
    const dials = [network.dialTo("two")(), network.dialTo("one")()];
    await network.settle();
    await Promise.all([refused, ...dials]);
    expect(accepted).toEqual(["two two", "one one"]);
  });

  it("writes a transcript that can be read", () => {
    const network = mockNetwork({ latencyMs: 12 });
    const { client, server } = network.pair();
    new Collected(server);
    new Collected(client);
    client.send([Uint8Array.of(0xc0, 0x00)]);
    network.run();
    client.close();
    network.run();
    expect(network.transcript.toString().split("\n")).toEqual([
      "     0 ms  #1 client open",
      "    12 ms  #1 client -> c0 00  |..|",
      "    24 ms  #1 client end",
    ]);
  });

  it("asserts that nothing happened, and shows what did", () => {
    const network = mockNetwork();
    const { client, server } = network.pair();
    new Collected(server);
    const mark = network.transcript.length;
    network.assertNoIo(mark);
    send(client, "unexpected");
    expect(() => network.assertNoIo(mark)).toThrow(expect.objectContaining({ code: "not-delivered" }));
    network.run();
    expect(() => network.assertNoIo(mark)).toThrow("|unexpected|");
    expect(() => network.assertAllClosed()).toThrow(expect.objectContaining({ code: "left-open" }));
  });

  it.each<[string, MockNetworkOptions]>([
    ["a low mark above the high one", { highWaterMark: 10, lowWaterMark: 100 }],
    ["tiny marks", { highWaterMark: 1 }],
  ])("drains with %s", (_what, options) => {
    const network = mockNetwork(options);
    const { client, server } = network.pair();
    new Collected(server);
    let drains = 0;
    client.start({
      onData() {},
      onDrain() {
        drains += 1;
      },
      onClose() {},
    });
    expect(client.send([new Uint8Array(50)])).toBe(false);
    network.run();
    expect(drains).toBe(1);
  });
});
