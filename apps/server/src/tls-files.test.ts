import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { generate } from "selfsigned";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { UsageError } from "./errors.ts";
import { certificateWarning, readTlsCredentials } from "./tls-files.ts";

// "Half of a renewed certificate taken up" (field-failures.md, mosquitto #1877, #3568).

interface Pair {
  readonly cert: string;
  readonly private: string;
}

const DAY_MS = 24 * 3600 * 1000;

let directory: string;
let certFile: string;
let keyFile: string;
let rsa: Pair;
let ec: Pair;
let otherEc: Pair;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), "tidewire-tls-"));
  const make = (keyType: "ec" | "rsa") =>
    generate([{ name: "commonName", value: keyType }], {
      keyType,
      algorithm: "sha256",
      notBeforeDate: new Date(Date.now() - DAY_MS),
      notAfterDate: new Date(Date.now() + 30 * DAY_MS),
    });
  [rsa, ec, otherEc] = await Promise.all([make("rsa"), make("ec"), make("ec")]);
});

afterAll(() => {
  rmSync(directory, { recursive: true });
});

beforeEach(() => {
  certFile = join(directory, "cert.pem");
  keyFile = join(directory, "key.pem");
});

function read(cert: string, key: string): ReturnType<typeof readTlsCredentials> {
  writeFileSync(certFile, cert);
  writeFileSync(keyFile, key);
  return readTlsCredentials({ certFile, keyFile });
}

describe("readTlsCredentials", () => {
  it("takes a certificate with its key, also with others after it", () => {
    for (const pair of [rsa, ec]) {
      expect(read(pair.cert, pair.private).cert.toString()).toBe(pair.cert);
    }
    expect(() => read(`# mine\n${ec.cert}\n${rsa.cert}`, ec.private)).not.toThrow();
  });

  it("takes the authorities of clients' certificates, and says what is wrong with them", () => {
    const clientCaFile = join(directory, "ca.pem");
    read(ec.cert, ec.private);
    const credentials = () => readTlsCredentials({ certFile, keyFile, clientCaFile });
    writeFileSync(clientCaFile, rsa.cert);
    expect(credentials()).toMatchObject({ requestCert: true, ca: Buffer.from(rsa.cert) });
    for (const text of ["", "none", ec.private, rsa.cert.replace("MII", "???")]) {
      writeFileSync(clientCaFile, text);
      expect(credentials).toThrow(/--tls-client-ca .*ca.pem holds no certificate.*; give those of the authorities/);
    }
    rmSync(clientCaFile);
    expect(credentials).toThrow(/--tls-client-ca .*ca.pem cannot be read/);
  });

  it.each([
    [
      "another kind of key",
      () => [rsa.cert, ec.private],
      /key.pem \(ec\) is not the key of --tls-cert .*cert.pem \(rsa\)/,
    ],
    ["another kind, the other way round", () => [ec.cert, rsa.private], /\(rsa\) is not the key of .*\(ec\)/],
    ["another key of the kind", () => [ec.cert, otherEc.private], /are not usable|is not the key of/],
    [
      "its chain turned round",
      () => [`${rsa.cert}\n${ec.cert}`, ec.private],
      /put that one first, and those of the auth/,
    ],
    [
      "no certificate",
      () => ["not a certificate", ec.private],
      /are not usable .*both in PEM and without a passphrase/,
    ],
    ["no key", () => [ec.cert, ec.cert], /are not usable/],
  ] as const)("refuses a certificate with %s", (_title, files, message) => {
    const [cert = "", key = ""] = files();
    const reading = () => read(cert, key);
    expect(reading).toThrow(UsageError);
    expect(reading).toThrow(message);
  });

  it("says to wait where half of a renewal is there", () => {
    expect(() => read(rsa.cert, ec.private)).toThrow(
      /in the middle of a renewal, reload again when both files are there/,
    );
  });

  it("names a file that is not there", () => {
    writeFileSync(certFile, ec.cert);
    const missing = () => readTlsCredentials({ certFile, keyFile: join(directory, "none.pem") });
    expect(missing).toThrow(/^--tls-key .*none.pem cannot be read \(ENOENT\); check the path and its permissions$/);
    expect(missing).toThrow(UsageError);
  });
});

it.each([
  [-2, /is valid from .* only: clients refuse it; check this machine's clock/],
  [0, undefined],
  [22, undefined],
  [24, /^the certificate expires on .*; renew it and send SIGHUP$/],
  [31, /^the certificate has expired on .*: clients refuse it; renew it/],
])("says %i days from now what is to be done about its time", (days, message) => {
  const warning = certificateWarning(read(ec.cert, ec.private), Date.now() + days * DAY_MS);
  if (message === undefined) {
    expect(warning).toBeUndefined();
  } else {
    expect(warning).toMatch(message);
  }
});
