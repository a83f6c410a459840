import type { RequestOptions } from "@tidewire/client";
import { PacketType, type PublishPacket } from "@tidewire/codec";
import { expect, test } from "vitest";
import { type Harness, outcome, setUpConnected } from "./harness.ts";
import { message } from "./scripted-server.ts";

/** Answers every request on the connection that it came on. */
function respond({ server }: Harness): void {
  server.script = (packet, peer) => {
    if (packet.type !== PacketType.PUBLISH) {
      return "usual";
    }
    const { responseTopic, correlationData } = packet.properties!;
    peer.send(message(responseTopic!, { payload: packet.payload, properties: { correlationData: correlationData! } }));
    return undefined;
  };
}

test("a request resolves with its own response, whatever the order", async () => {
  const harness = await setUpConnected();
  const { network, server, client } = harness;
  server.script = (packet) => (packet.type === PacketType.PUBLISH ? undefined : "usual");
  const answers = ["one", "two", "three"].map((payload) => outcome(client.request("ask", payload)));
  await network.settle();
  expect(server.received(PacketType.SUBSCRIBE)).toHaveLength(1);
  const requests = server.received(PacketType.PUBLISH);
  for (const { properties, payload } of [...requests].reverse()) {
    server.last.send(
      message(properties!.responseTopic!, { payload, properties: { correlationData: properties!.correlationData! } }),
    );
  }
  await network.settle();
  const texts = answers.map(({ value }) => new TextDecoder().decode((value as PublishPacket).payload));
  expect(texts).toEqual(["one", "two", "three"]);
  expect(requests[0]!.properties!.responseTopic).toBe("tidewire/responses/c");
});

test("a request without a response times out, and a late response is for nobody", async () => {
  const { network, server, client, errors } = await setUpConnected();
  const late = outcome(client.request("ask", "", { timeoutMs: 1_000 }));
  await network.pass(1_001);
  expect(late.value).toMatchObject({ code: "timeout" });
  const { responseTopic, correlationData } = server.received(PacketType.PUBLISH)[0]!.properties!;
  server.last.send(
    message(responseTopic!, { properties: { correlationData: correlationData! } }),
    message(responseTopic!),
  );
  await network.settle();
  expect(errors).toEqual([]);
});

test("a time limit that is there but undefined is the default", async () => {
  const { network, client } = await setUpConnected({ limits: { answerTimeoutMs: 1_000 } });
  const late = outcome(client.request("ask", "", { timeoutMs: undefined } as unknown as RequestOptions));
  await network.pass(1_001);
  expect(late.value).toMatchObject({ code: "timeout" });
});

test("requests are bounded, need MQTT 5, and fail with their publish", async () => {
  const bounded = await setUpConnected({ limits: { pendingRequests: 1 } });
  void bounded.client.request("ask", "").catch(() => {});
  await expect(bounded.client.request("ask", "")).rejects.toMatchObject({ code: "queue-full" });
  const failing = outcome((await setUpConnected()).client.request("a/#", ""));
  await bounded.network.settle();
  const old = await setUpConnected({ protocolVersion: 4 });
  await expect(old.client.request("ask", "")).rejects.toMatchObject({ code: "needs-mqtt-5" });
  const harness = await setUpConnected();
  const invalid = outcome(harness.client.request("a/#", ""));
  await harness.network.settle();
  expect(invalid.value).toMatchObject({ code: "invalid-argument" });
  expect(failing.value).toBe("pending");
});

test("responses go on after a reconnect", async () => {
  const harness = await setUpConnected();
  respond(harness);
  const first = outcome(harness.client.request("ask", "1"));
  await harness.network.settle();
  harness.server.last.connection.abort();
  await harness.network.pass(1_000);
  const second = outcome(harness.client.request("ask", "2"));
  await harness.network.settle();
  expect(first.value).toMatchObject({ qos: 0 });
  expect(second.value).toMatchObject({ qos: 0 });
});
