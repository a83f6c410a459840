import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { TransportError } from "@tidewire/transport";
import { describe, expect, it } from "vitest";
import { UsageError } from "./errors.ts";
import { isLoopback, listenFailure, readTlsCredentials } from "./listeners.ts";

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

describe("readTlsCredentials", () => {
  it("names the file that is not there, and files that are no certificate", () => {
    const directory = mkdtempSync(join(tmpdir(), "tidewire-tls-"));
    try {
      const certFile = join(directory, "cert.pem");
      writeFileSync(certFile, "not a certificate");
      const missing = () => readTlsCredentials({ certFile, keyFile: join(directory, "key.pem") });
      expect(missing).toThrow(/^--tls-key .*key.pem cannot be read \(ENOENT\); check the path/);
      expect(missing).toThrow(UsageError);
      expect(() => readTlsCredentials({ certFile, keyFile: certFile })).toThrow(/are not usable .*both in PEM/);
    } finally {
      rmSync(directory, { recursive: true });
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
