import { bytesPayload, type Client, jsonPayload, textPayload, topicTemplate } from "@tidewire/client";
import { PacketType } from "@tidewire/codec";
import { expect, test } from "vitest";
import { outcome, setUpConnected, text } from "./harness.ts";
import { message } from "./scripted-server.ts";

const metric = topicTemplate("devices/{id}/metrics/{name}", jsonPayload<number>());

test("fills, filters and matches", () => {
  expect(metric.topic({ id: "7", name: "cpu" })).toBe("devices/7/metrics/cpu");
  expect(metric.filter()).toBe("devices/+/metrics/+");
  expect(metric.filter({ id: "7" })).toBe("devices/7/metrics/+");
  expect(metric.match("devices/7/metrics/cpu")).toEqual({ id: "7", name: "cpu" });
  expect(metric.match("devices/7/metric/cpu")).toBeUndefined();
  expect(metric.match("devices/7/metrics/cpu/0")).toBeUndefined();
});

test("a value that would be more than one level, or a wildcard, is refused", async () => {
  for (const id of ["", "a/b", "+", "#", "a\0"]) {
    expect(() => metric.topic({ id, name: "cpu" })).toThrow(expect.objectContaining({ code: "invalid-argument" }));
    expect(() => metric.filter({ id })).toThrow(expect.objectContaining({ code: "invalid-argument" }));
  }
  await expect(metric.publish({} as Client, { id: "#", name: "x" }, 1)).rejects.toMatchObject({
    code: "invalid-argument",
  });
});

test("a template with wildcards or half parameters is refused", () => {
  for (const template of ["a/+", "a/#", "a/x{id}", "a/{}", "{a}{b}"]) {
    expect(() => topicTemplate(template)).toThrow(expect.objectContaining({ code: "invalid-argument" }));
  }
});

test("publishes and subscribes with parameters and decoded values", async () => {
  const { network, server, client, errors } = await setUpConnected();
  void metric.publish(client, { id: "7", name: "cpu" }, 0.5);
  const subscribing = metric.subscribe(client, { params: { name: "cpu" } });
  const seen: unknown[] = [];
  void metric.subscribe(client, { onMessage: ({ params, value }) => void seen.push([params.id, value]) });
  await network.settle();
  const subscription = await subscribing;
  expect(server.received(PacketType.PUBLISH).map(({ topic, payload }) => [topic, text(payload)])).toEqual([
    ["devices/7/metrics/cpu", "0.5"],
  ]);
  expect(subscription.subscription.filters).toEqual(["devices/+/metrics/cpu"]);
  const json = (value: string) => message("devices/9/metrics/cpu", { payload: new TextEncoder().encode(value) });
  server.last.send(json("42"), json("{"));
  await network.settle();
  expect(seen).toEqual([["9", 42]]);
  expect(errors).toMatchObject([{ code: "handler-failed", cause: { code: "payload-invalid" } }]);
  const first = outcome(subscription.next());
  await network.settle();
  expect(first.value).toMatchObject({ value: { params: { id: "9", name: "cpu" }, value: 42 } });
  await expect(subscription.next()).rejects.toMatchObject({ code: "payload-invalid" });
  const left = outcome(subscription.return!());
  await network.settle();
  expect(left.value).toMatchObject({ done: true });
});

test("payload codecs", () => {
  const bytes = new Uint8Array([0xff]);
  expect(bytesPayload.decode(bytes)).toBe(bytes);
  expect(textPayload.decode(new TextEncoder().encode("ü"))).toBe("ü");
  expect(() => textPayload.decode(bytes)).toThrow(expect.objectContaining({ code: "payload-invalid" }));
});
