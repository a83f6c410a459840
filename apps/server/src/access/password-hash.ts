import { randomBytes, type ScryptOptions, scrypt, timingSafeEqual } from "node:crypto";
import { HASH_COST, HASH_MEMORY } from "./limits.ts";

/** A password as a users file keeps it: hashed by scrypt, with a salt of its own. */
export interface PasswordHash {
  /** As it stands in the file, such as `$scrypt$ln=15,r=8,p=1$SALT$KEY` with base64 of no padding. */
  readonly text: string;
  readonly options: ScryptOptions;
  readonly salt: Buffer;
  readonly key: Buffer;
}

/** What is checked for a user that nobody is, so that it takes no less time; no password fits it. */
export const DECOY: PasswordHash = passwordHash(HASH_COST, randomBytes(16), randomBytes(32));

/** Hashes a new password. */
export async function hashPassword(password: Uint8Array): Promise<PasswordHash> {
  const salt = randomBytes(16);
  return passwordHash(HASH_COST, salt, await derive(password, { ...DECOY, salt }));
}

export async function isPassword(password: Uint8Array, hash: PasswordHash): Promise<boolean> {
  return timingSafeEqual(await derive(password, hash), hash.key);
}

/** Undefined for what is no such hash, or one that would take too much memory. */
export function parsePasswordHash(text: string): PasswordHash | undefined {
  const [, ln, r, p, salt, key] = HASH.exec(text) ?? [];
  if (salt === undefined || key === undefined) {
    return undefined;
  }
  const cost = { ln: Number(ln), r: Number(r), p: Number(p) };
  if (memory(cost) > HASH_MEMORY) {
    return undefined;
  }
  return passwordHash(cost, Buffer.from(salt, "base64"), Buffer.from(key, "base64"));
}

const HASH = /^\$scrypt\$ln=([1-9]\d?),r=([1-9]\d?),p=([1-9]\d?)\$([A-Za-z\d+/]{11,})\$([A-Za-z\d+/]{22,})$/;

function passwordHash(cost: typeof HASH_COST, salt: Buffer, key: Buffer): PasswordHash {
  const { ln, r, p } = cost;
  return {
    text: `$scrypt$ln=${ln},r=${r},p=${p}$${base64(salt)}$${base64(key)}`,
    // OpenSSL counts some kilobytes beside the table.
    options: { N: 2 ** ln, r, p, maxmem: memory(cost) + 1024 * 1024 },
    salt,
    key,
  };
}

function derive(password: Uint8Array, { salt, key, options }: PasswordHash): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    scrypt(password, salt, key.length, options, (error, derived) => (error ? reject(error) : resolve(derived)));
  });
}

function memory({ ln, r, p }: typeof HASH_COST): number {
  return 128 * r * (2 ** ln + p);
}

function base64(bytes: Buffer): string {
  return bytes.toString("base64").replace(/=+$/, "");
}
