import { afterEach, expect, test, vi } from "vitest";
import { ClientError } from "../errors/index.ts";
import { Events } from "./events.ts";

afterEach(() => {
  vi.restoreAllMocks();
});

test("a listener is told until it is taken off, and others are told though one throws", () => {
  const events = new Events();
  const told: string[] = [];
  const errors: ClientError[] = [];
  events.on("error", (error) => errors.push(error));
  events.on("status", () => {
    throw new Error("mine");
  });
  const stop = events.on("status", (status) => told.push(status));
  events.emit("status", "connected", {});
  stop();
  events.emit("status", "closed", {});
  expect(told).toEqual(["connected"]);
  expect(errors).toMatchObject([
    { code: "handler-failed", cause: { message: "mine" } },
    { code: "handler-failed", cause: { message: "mine" } },
  ]);
  expect(errors[0]!.message).toContain('"status"');
});

test("an error that nobody listens for, and what a listener for errors throws, are on the console", () => {
  const console_ = vi.spyOn(console, "error").mockImplementation(() => {});
  const events = new Events();
  const error = new ClientError("timeout", "Late.");
  events.report(error);
  const thrown = new Error("mine");
  const stop = events.on("error", () => {
    throw thrown;
  });
  events.report(error);
  stop();
  expect(events.has("error")).toBe(false);
  expect(console_.mock.calls).toEqual([[error], [thrown]]);
});
