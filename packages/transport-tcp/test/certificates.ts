import { generate } from "selfsigned";

/** A certificate with its key, PEM. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

export interface CertificateOptions {
  readonly issuer?: Certificate;
  readonly authority?: boolean;
  readonly validFrom?: Date;
  readonly validTo?: Date;
  /** Host name in the certificate; by default that of the loopback address. */
  readonly host?: string;
  /** Of the key. Default EC. */
  readonly kind?: "EC" | "RSA";
}

/** Makes a certificate of the given name, signed by the issuer or by itself. */
export async function certificate(name: string, options: CertificateOptions = {}): Promise<Certificate> {
  const {
    issuer,
    authority = false,
    host,
    kind = "EC",
    validFrom = daysFromNow(-1),
    validTo = daysFromNow(30),
  } = options;
  const altNames =
    host === undefined
      ? [
          { type: 2 as const, value: "localhost" },
          { type: 7 as const, ip: "127.0.0.1" },
          { type: 7 as const, ip: "::1" },
        ]
      : [{ type: 2 as const, value: host }];
  const made = await generate([{ name: "commonName", value: name }], {
    keyType: kind === "RSA" ? "rsa" : "ec",
    algorithm: "sha256",
    notBeforeDate: validFrom,
    notAfterDate: validTo,
    extensions: authority
      ? [
          { name: "basicConstraints", cA: true, critical: true },
          { name: "keyUsage", keyCertSign: true, critical: true },
        ]
      : [
          { name: "basicConstraints", cA: false },
          { name: "extKeyUsage", serverAuth: true, clientAuth: true },
          { name: "subjectAltName", altNames },
        ],
    ...(issuer === undefined ? {} : { ca: { cert: issuer.cert, key: issuer.key } }),
  });
  return { cert: made.cert, key: made.private };
}

export function daysFromNow(days: number): Date {
  return new Date(Date.now() + days * 86_400_000);
}
