import { TransportError } from "@tidewire/transport";
import { describe, expect, it } from "vitest";
import { UsageError } from "./errors.ts";
import { parseListenUrl } from "./listen-url.ts";
import { isLoopback, listenConflict, listenFailure, listenGroups } from "./listeners.ts";

describe("listenFailure", () => {
  it.each([
    [new TransportError("address-in-use", "x"), /the port is in use; .* choose another with --http-port/],
    [Object.assign(new Error("x"), { code: "EADDRINUSE" }), /the port is in use/],
    [new TransportError("not-permitted", "x"), /does not allow it; choose a port above 1023/],
    [new TransportError("address-invalid", "x"), /no such address; use one of its own/],
    [new Error("first\nsecond"), /: first second; choose another address with --http-port$/],
  ])("says what to do about %s", (error, message) => {
    const failure = listenFailure("http://127.0.0.1:8080", "--http-port", error);
    expect(failure).toBeInstanceOf(UsageError);
    expect(failure.message).toMatch(/^cannot listen on http:\/\/127.0.0.1:8080: /);
    expect(failure.message).toMatch(message);
    expect(failure.cause).toBe(error);
  });
});

it("puts WebSockets of one address and port into one listener, and nothing else", () => {
  const groups = listenGroups(
    [
      ...["ws://127.0.0.1:80/mqtt", "tcp://127.0.0.1:1883", "ws://127.0.0.1:80/ws", "wss://127.0.0.1:80/mqtt"],
      ...["ws://127.0.0.1:0/a", "ws://127.0.0.1:0/b", "tcp://127.0.0.1:1883", "ws://127.0.0.1:80/mqtt"],
    ].map(parseListenUrl),
  );
  expect(groups.map(({ target, paths }) => [target.text, ...paths])).toEqual([
    ["ws://127.0.0.1:80/mqtt", "/mqtt", "/ws"],
    ["tcp://127.0.0.1:1883", "/"],
    ["wss://127.0.0.1:80/mqtt", "/mqtt"],
    ["ws://127.0.0.1:0/a", "/a"],
    ["ws://127.0.0.1:0/b", "/b"],
    // These cannot be opened, and the error says so.
    ["tcp://127.0.0.1:1883", "/"],
    ["ws://127.0.0.1:80/mqtt", "/mqtt"],
  ]);
});

describe("listenConflict", () => {
  it.each([
    [
      "tcp://0.0.0.0:1883",
      "tcp://[::]:1883",
      /one address includes the other: \[::\] takes IPv4 connections, too \(dual stack/,
    ],
    ["tcp://[::]:1883", "ws://192.0.2.1:1883/", /dual stack.*; leave out the IPv4 address, or change one port$/],
    ["tcp://0.0.0.0:1883", "tls://127.0.0.1:1883", /one address includes the other; leave one of them out/],
    ["tcp://127.0.0.1:1883", "ws://127.0.0.1:1883/mqtt", /are for one address and port; change one port$/],
    ["tcp://127.0.0.1:1883", "tcp://127.0.0.1:1884", undefined],
    ["tcp://127.0.0.1:1883", "tcp://127.0.0.2:1883", undefined],
    ["tcp://0.0.0.0:1883", "tcp://[::1]:1883", undefined],
    ["tcp://0.0.0.0:0", "tcp://0.0.0.0:0", undefined],
  ])("%s beside %s", (one, other, message) => {
    const [target, rival] = [parseListenUrl(one), parseListenUrl(other)];
    for (const found of [listenConflict(target, [rival]), listenConflict(rival, [target])]) {
      if (message === undefined) {
        expect(found).toBeUndefined();
      } else {
        expect(found?.message).toMatch(message);
        expect(found?.message).not.toMatch(/stop the program/);
      }
    }
  });
});

it.each([
  ["127.0.0.1", true],
  ["127.1.2.3", true],
  ["::1", true],
  ["localhost", true],
  ["0.0.0.0", false],
  ["::", false],
  ["192.168.1.7", false],
  ["127.example.org", false],
])("isLoopback(%s) is %s", (host, loopback) => {
  expect(isLoopback(host)).toBe(loopback);
});
