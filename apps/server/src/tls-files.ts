import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { createSecureContext } from "node:tls";
import type { TlsFiles } from "./args.ts";
import { describeError, UsageError } from "./errors.ts";
import { readNamedFile } from "./text-file.ts";

export interface TlsCredentials {
  readonly cert: Buffer;
  readonly key: Buffer;
  /** Clients have to show a certificate of one of these authorities. */
  readonly ca?: Buffer;
  readonly requestCert?: true;
}

/**
 * Reads certificate and key, and checks that they fit: when a renewal has written one of them and not yet the other, TLS
 * takes both without a word where their kinds of key differ, and every handshake fails.
 */
export function readTlsCredentials(files: TlsFiles): TlsCredentials {
  const remedy = "check the path and its permissions";
  const cert = readNamedFile("--tls-cert", files.certFile, remedy, LONGEST_PEM);
  const key = readNamedFile("--tls-key", files.keyFile, remedy, LONGEST_PEM);
  let chain: X509Certificate[];
  let privateKey: KeyObject;
  try {
    createSecureContext({ cert, key });
    chain = certificatesOf(cert);
    privateKey = createPrivateKey(key);
  } catch (error) {
    throw new UsageError(
      `--tls-cert ${files.certFile} and --tls-key ${files.keyFile} are not usable (${describeError(error)})`,
      "give a certificate and its own key, both in PEM and without a passphrase",
      { cause: error },
    );
  }
  const [own, ...others] = chain;
  if (own?.checkPrivateKey(privateKey) === true) {
    return { cert, key, ...clientAuthorities(files.clientCaFile, remedy) };
  }
  if (others.some((certificate) => certificate.checkPrivateKey(privateKey))) {
    throw new UsageError(
      `--tls-cert ${files.certFile} does not begin with the certificate that the key belongs to`,
      "put that one first, and those of the authorities after it",
    );
  }
  throw new UsageError(
    `--tls-key ${files.keyFile} (${privateKey.asymmetricKeyType}) is not the key of --tls-cert ${files.certFile} ` +
      `(${own?.publicKey.asymmetricKeyType})`,
    "give the certificate's own key; in the middle of a renewal, reload again when both files are there",
  );
}

function clientAuthorities(file: string | undefined, remedy: string): Pick<TlsCredentials, "ca" | "requestCert"> {
  if (file === undefined) {
    return {};
  }
  const ca = readNamedFile("--tls-client-ca", file, remedy, LONGEST_PEM);
  let cause: unknown;
  try {
    createSecureContext({ ca });
    if (certificatesOf(ca).length > 0) {
      return { ca, requestCert: true };
    }
  } catch (error) {
    cause = error;
  }
  throw new UsageError(
    `--tls-client-ca ${file} holds no certificate${cause === undefined ? "" : ` (${describeError(cause)})`}`,
    "give those of the authorities that sign the clients' certificates, in PEM",
    { cause },
  );
}

/** A line when the certificate is out of date, or will soon be; undefined for one that is good. */
export function certificateWarning({ cert }: TlsCredentials, nowMs: number): string | undefined {
  const [own] = certificatesOf(cert);
  if (own === undefined) {
    return undefined;
  }
  const { validFrom, validTo } = own;
  if (nowMs < Date.parse(validFrom)) {
    return `the certificate is valid from ${validFrom} only: clients refuse it; check this machine's clock, or the file`;
  }
  const leftMs = Date.parse(validTo) - nowMs;
  if (leftMs <= 0) {
    return `the certificate has expired on ${validTo}: clients refuse it; renew it and send SIGHUP`;
  }
  return leftMs < SOON_MS ? `the certificate expires on ${validTo}; renew it and send SIGHUP` : undefined;
}

/** A long chain has some ten kilobytes. */
const LONGEST_PEM = 1024 * 1024;

const SOON_MS = 7 * 24 * 3600 * 1000;

function certificatesOf(pem: Buffer): X509Certificate[] {
  const blocks = pem.toString("latin1").match(/-----BEGIN [^-]*CERTIFICATE-----[^-]*-----END [^-]*CERTIFICATE-----/g);
  return (blocks ?? []).map((block) => new X509Certificate(block));
}
