import { createHash, randomBytes, type ScryptOptions, scrypt, timingSafeEqual } from "node:crypto";
import { HASH_COST, HASH_MEMORY, HASH_WORK } from "./limits.ts";

/** A password as a users file keeps it: hashed by scrypt, with a salt of its own. */
export interface PasswordHash {
  /** As it stands in the file, such as `$scrypt$v=2$ln=15,r=8,p=1$SALT$KEY` with base64 of no padding. */
  readonly text: string;
  readonly version: 1 | 2;
  readonly options: ScryptOptions;
  readonly salt: Buffer;
  readonly key: Buffer;
}

/** What is checked where there is no user to take the cost from. */
export const DECOY: PasswordHash = passwordHash(2, HASH_COST, randomBytes(16), randomBytes(32));

/** No password fits it, and to check one takes what it takes for `hash`. */
export function decoyOf(hash: PasswordHash): PasswordHash {
  return { ...hash, text: "", salt: randomBytes(hash.salt.length), key: randomBytes(hash.key.length) };
}

/** Hashes a new password. */
export async function hashPassword(password: Uint8Array): Promise<PasswordHash> {
  const salt = randomBytes(16);
  return passwordHash(2, HASH_COST, salt, await derive(password, { ...DECOY, salt }));
}

export async function isPassword(password: Uint8Array, hash: PasswordHash): Promise<boolean> {
  // The answer comes at the end, so that nobody learns from the time which version a user has.
  const fits = timingSafeEqual(await derive(password, hash), hash.key);
  return fits && !(hash.version === 1 && password.at(-1) === 0);
}

/** Undefined for what is no such hash, or one that would take too much memory or time. */
export function parsePasswordHash(text: string): PasswordHash | undefined {
  const [, version, ln, r, p, salt, key] = HASH.exec(text) ?? [];
  if (salt === undefined || key === undefined) {
    return undefined;
  }
  const cost = { ln: Number(ln), r: Number(r), p: Number(p) };
  if (memory(cost) > HASH_MEMORY || 2 ** cost.ln * cost.r * cost.p > HASH_WORK) {
    return undefined;
  }
  return passwordHash(version === undefined ? 1 : 2, cost, Buffer.from(salt, "base64"), Buffer.from(key, "base64"));
}

/** 16 bytes of salt and 32 of key, whole: scrypt's shorter keys are beginnings of its longer ones, so a cut one would fit. */
const HASH = /^\$scrypt\$(v=2\$)?ln=([1-9]\d?),r=([1-9]\d?),p=([1-9]\d?)\$([A-Za-z\d+/]{22})\$([A-Za-z\d+/]{43})$/;

function passwordHash(version: 1 | 2, cost: typeof HASH_COST, salt: Buffer, key: Buffer): PasswordHash {
  const { ln, r, p } = cost;
  return {
    text: `$scrypt$${version === 2 ? "v=2$" : ""}ln=${ln},r=${r},p=${p}$${base64(salt)}$${base64(key)}`,
    version,
    // OpenSSL counts some kilobytes beside the table.
    options: { N: 2 ** ln, r, p, maxmem: memory(cost) + 1024 * 1024 },
    salt,
    key,
  };
}

/**
 * scrypt takes its password as a key of HMAC, which fills it up with zeros and replaces one of more than 64 bytes by its
 * digest: "pw" and "pw\0" would be one password. Since version 2 all are digested first, and have one length.
 */
function derive(password: Uint8Array, { version, salt, key, options }: PasswordHash): Promise<Buffer> {
  const bytes = version === 1 ? password : createHash("sha256").update(password).digest();
  return new Promise((resolve, reject) => {
    scrypt(bytes, salt, key.length, options, (error, derived) => (error ? reject(error) : resolve(derived)));
  });
}

function memory({ ln, r, p }: typeof HASH_COST): number {
  return 128 * r * (2 ** ln + p);
}

function base64(bytes: Buffer): string {
  return bytes.toString("base64").replace(/=+$/, "");
}
