import { describe, expect, it } from "vitest";
import { TransportError } from "../errors.ts";
import { transportError } from "./errors.ts";

function systemError(code: string): Error {
  return Object.assign(new Error("system"), { code });
}

describe("transportError", () => {
  it.each([
    ["ECONNREFUSED", "refused"],
    ["ENOTFOUND", "unreachable"],
    ["ECONNRESET", "reset"],
    ["EADDRINUSE", "address-in-use"],
    ["EACCES", "not-permitted"],
    ["CERT_HAS_EXPIRED", "tls-expired"],
    ["DEPTH_ZERO_SELF_SIGNED_CERT", "tls-untrusted"],
    ["ERR_TLS_CERT_ALTNAME_INVALID", "tls-wrong-host"],
    ["ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED", "tls-client-certificate"],
    ["ERR_SSL_TLSV1_ALERT_UNKNOWN_CA", "tls-client-certificate"],
    ["ERR_SSL_WRONG_VERSION_NUMBER", "tls-failed"],
  ])("makes %s the code %s, and keeps the cause", (code, expected) => {
    const cause = systemError(code);
    expect(transportError(cause)).toMatchObject({ name: "TransportError", code: expected, cause });
  });

  it("takes the first of several addresses that were tried", () => {
    const cause = new AggregateError([systemError("EHOSTUNREACH"), systemError("ECONNREFUSED")]);
    expect(transportError(cause).code).toBe("unreachable");
  });

  it("uses the fallback for what it does not know, whatever that is", () => {
    for (const cause of [new Error("odd"), systemError("EODD"), undefined, null, 7, { code: 9 }]) {
      expect(transportError(cause, "handshake-failed").code).toBe("handshake-failed");
    }
  });

  it("leaves its own kind alone", () => {
    const error = new TransportError("closed", "x");
    expect(transportError(error, "reset")).toBe(error);
  });
});
