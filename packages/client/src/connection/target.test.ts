import type { Connection, DialOptions } from "@tidewire/transport";
import { expect, test } from "vitest";
import { checkUrl } from "../handshake/index.ts";
import { dialTarget, redirected } from "./target.ts";

test("a function is asked with the options of the dial, and may give the connection itself", async () => {
  const connection = {} as Connection;
  const given: DialOptions[] = [];
  const options = { signal: new AbortController().signal };
  const dial = async (asked?: DialOptions) => {
    given.push(asked!);
    return connection;
  };
  expect(await dialTarget(dial, options)).toBe(connection);
  expect(given).toEqual([options]);
  await expect(dialTarget(async () => "http://x/", options)).rejects.toMatchObject({ code: "invalid-argument" });
});

test.each(["ws://h/mqtt", "wss://h", "WS://h:8080/?a=b"])("%s is a WebSocket's", (url) => {
  expect(checkUrl(url)).toBe(url);
});

test.each(["http://user:secret@h/", "mqtt://h", "h:1883", "/mqtt", ""])("%s is none, and is not repeated", (url) => {
  expect(() => checkUrl(url)).toThrow(expect.objectContaining({ code: "invalid-argument" }));
  expect(() => checkUrl(url)).not.toThrow(/secret/);
});

test("a Server Reference is the same URL on that host; the first of several; nothing for a function", () => {
  expect(String(redirected("wss://a:1/mqtt?k=v", "b:8443 c:9"))).toBe("wss://b:8443/mqtt?k=v");
  expect(String(redirected(new URL("ws://a:1/mqtt"), " b "))).toBe("ws://b/mqtt");
  expect(redirected(async () => "ws://a", "b")).toBeUndefined();
});
