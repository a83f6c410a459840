import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { createSecureContext, type SecureContextOptions } from "node:tls";
import { TransportError } from "../errors.ts";

/**
 * Checks that TLS can be spoken with these options: that they can be read, and that each certificate has its key among
 * those that are given. OpenSSL takes a chain and a key of different kinds (half of a renewal) without a word, and every
 * handshake fails from then on.
 *
 * @throws TransportError `tls-credentials`
 */
export function checkCredentials(options: SecureContextOptions): void {
  try {
    createSecureContext(options);
  } catch (cause) {
    const detail = cause instanceof Error ? cause.message : String(cause);
    throw new TransportError("tls-credentials", `Certificate and key cannot be used (${detail}).`, { cause });
  }
  const certificates = entries(options.cert).map((pem) => new X509Certificate(pem as string | Buffer));
  if (certificates.length === 0) {
    return;
  }
  const keys = entries(options.key).map((key) => privateKey(key, options.passphrase));
  for (const certificate of certificates) {
    if (!keys.some((key) => certificate.checkPrivateKey(key))) {
      throw new TransportError(
        "tls-credentials",
        `The certificate of ${certificate.subject.replaceAll("\n", ", ")} and the key do not belong together. ` +
          "Give the key that the certificate was made for; if they are being renewed, try again when both are there.",
      );
    }
  }
}

function entries(value: unknown): readonly unknown[] {
  return value === undefined || value === null ? [] : Array.isArray(value) ? value : [value];
}

function privateKey(entry: unknown, passphrase: string | undefined): KeyObject {
  const { pem, passphrase: own } =
    typeof entry === "object" && entry !== null && "pem" in entry
      ? (entry as { pem: string | Buffer; passphrase?: string })
      : { pem: entry as string | Buffer, passphrase: undefined };
  const phrase = own ?? passphrase;
  return createPrivateKey(phrase === undefined ? { key: pem } : { key: pem, passphrase: phrase });
}
