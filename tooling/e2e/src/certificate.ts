import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { generate } from "selfsigned";
import { temporaryDirectory } from "./paths.ts";

/** A certificate for 127.0.0.1 that is its own authority, and its files. */
export interface Certificate {
  readonly cert: string;
  readonly certFile: string;
  readonly keyFile: string;
}

/** Makes a certificate, in the files given or in new ones. */
export async function createCertificate(
  certFile: string = join(temporaryDirectory(), "cert.pem"),
  keyFile: string = join(temporaryDirectory(), "key.pem"),
  keyType: "ec" | "rsa" = "ec",
): Promise<Certificate> {
  const { cert, private: key } = await generate([{ name: "commonName", value: "tidewire test" }], {
    keyType,
    algorithm: "sha256",
    extensions: [{ name: "subjectAltName", altNames: [{ type: 7, ip: "127.0.0.1" }] }],
  });
  writeFileSync(certFile, cert);
  writeFileSync(keyFile, key);
  return { cert, certFile, keyFile };
}
