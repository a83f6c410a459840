import { MqttError } from "@tidewire/codec";
import { expect, test } from "vitest";
import { ClientError, callError } from "./client-error.ts";
import { endError, hex, requestError } from "./request-errors.ts";

test.each([0x95, 0x9a, 0x9b, 0x9e, 0xa1, 0xa2])("0x%s is what the server does not take", (reasonCode) => {
  expect(requestError(new MqttError("x", reasonCode))).toMatchObject({ code: "not-supported-by-server", reasonCode });
});

test("everything else is an argument that no server takes; an error of this package stays what it is", () => {
  const own = new ClientError("timeout", "Late.");
  expect(requestError(own)).toBe(own);
  expect(requestError(new MqttError("x", 0x82, "Bad."))).toMatchObject({ code: "invalid-argument", message: "Bad." });
  expect(requestError(new TypeError("odd"))).toMatchObject({ code: "invalid-argument", message: "odd" });
});

test("the end of a connection is a refusal when the server said so", () => {
  expect(endError({ kind: "remote", reasonCode: 0x8b } as never)).toMatchObject({
    code: "refused",
    reasonCode: 0x8b,
    message: expect.stringContaining("0x8b"),
  });
  expect(endError({ kind: "lost", reasonCode: 0 } as never)).toMatchObject({
    code: "connection-lost",
    reasonCode: undefined,
  });
});

test("reason codes are written as in the specification; an error of a call says which call", () => {
  expect([hex(0), hex(0x10), hex(0x87)]).toEqual(["0x00", "0x10", "0x87"]);
  const cause = new Error("why");
  const error = callError("publish", 'a"b', new ClientError("refused", "No.", { cause, reasonCode: 0x87 }));
  expect(error).toMatchObject({ code: "refused", reasonCode: 0x87, cause, message: 'publish("a\\"b"): No.' });
  expect(callError("flush", undefined, error).message).toMatch(/^flush\(\): /);
});
