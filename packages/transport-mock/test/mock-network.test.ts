import { mockNetwork } from "@tidewire/transport-mock";
import { describe, expect, it } from "vitest";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

describe("mockNetwork", () => {
  it("carries bytes both ways without a promise", () => {
    const network = mockNetwork({ latencyMs: 5 });
    const { client, server } = network.pair();
    const seen: string[] = [];
    server.start({
      onData: (chunk) => {
        seen.push(`server ${network.scheduler.now()} ${new TextDecoder().decode(chunk)}`);
        server.send([bytes("pong")]);
      },
      onDrain: () => {},
      onClose: (info) => seen.push(`server closed by ${info.initiator}, clean ${info.clean}`),
    });
    client.start({
      onData: (chunk) => {
        seen.push(`client ${network.scheduler.now()} ${new TextDecoder().decode(chunk)}`);
        client.close();
      },
      onDrain: () => {},
      onClose: (info) => seen.push(`client closed by ${info.initiator}, clean ${info.clean}`),
    });
    client.send([bytes("ping")]);
    expect(seen).toEqual([]);
    network.run();
    expect(seen).toEqual([
      "server 5 ping",
      "client 10 pong",
      "server closed by remote, clean true",
      "client closed by local, clean true",
    ]);
    network.assertNothingInFlight();
    network.assertAllClosed();
  });
});
