import { createHmac, randomBytes } from "node:crypto";
import { UsageError } from "../errors.ts";
import { linesOf } from "../text-file.ts";
import { MAXIMUM_FIELD_LENGTH } from "./limits.ts";
import { DECOY, decoyOf, type PasswordHash, parsePasswordHash } from "./password-hash.ts";

/** Who may connect: the hash of the password by user name. */
export type Users = ReadonlyMap<string, PasswordHash>;

/**
 * Hashes for users that nobody is. A name always gets the same one, which costs what that of some user costs: where users
 * have hashes of different cost, the time of an answer says nothing about who is in the file.
 */
export class Decoys {
  readonly #decoys: readonly PasswordHash[];

  constructor(users: Users) {
    const byCost = new Map<string, PasswordHash>();
    const costOf = ({ version, options, salt, key }: PasswordHash): string =>
      [version, options.N, options.r, options.p, salt.length, key.length].join();
    // One for each user, so that a cost is met as often as among them; those of one cost are one object.
    this.#decoys = [...users.values()].map((hash) => {
      const cost = costOf(hash);
      const decoy = byCost.get(cost) ?? decoyOf(hash);
      byCost.set(cost, decoy);
      return decoy;
    });
  }

  get(name: string): PasswordHash {
    const number = createHmac("sha256", NAME_KEY).update(name).digest().readUIntBE(0, 6);
    return this.#decoys[number % this.#decoys.length] ?? DECOY;
  }
}

const NAME_KEY = randomBytes(32);

/**
 * Reads lines `NAME:HASH`; those that are empty or begin with `#` are for people. `file` is for errors only. A user who
 * has the hash of `before` still gets that very object.
 */
export function parseUsers(file: string, bytes: Uint8Array, before: Users = new Map()): Users {
  const users = new Map<string, PasswordHash>();
  for (const [index, line] of linesOf("users file", file, bytes).entries()) {
    if (isComment(line)) {
      continue;
    }
    const where = `users file ${file}, line ${index + 1}`;
    const colon = line.indexOf(":");
    const name = line.slice(0, Math.max(colon, 0));
    const problem = nameProblem(name);
    if (colon < 0) {
      throw new UsageError(`${where}: this is not NAME:HASH`, REMEDY);
    }
    if (problem !== undefined) {
      throw new UsageError(`${where}: the user name ${problem}`, REMEDY);
    }
    if (users.has(name)) {
      throw new UsageError(`${where}: user "${name}" is there already`, "keep one of the lines");
    }
    const hash = parsePasswordHash(line.slice(colon + 1));
    if (hash === undefined) {
      throw new UsageError(`${where}: user "${name}" has no scrypt hash of the right form and cost`, REMEDY);
    }
    const known = before.get(name);
    users.set(name, known?.text === hash.text ? known : hash);
  }
  return users;
}

/** The file's text with the user's line replaced, or added at the end; all else stays as it is. */
export function withUser(text: string, name: string, hash: PasswordHash): string {
  const line = `${name}:${hash.text}`;
  const lines = text === "" ? [] : text.replace(/\r?\n$/, "").split(/\r?\n/);
  const index = lines.findIndex((candidate) => candidate.startsWith(`${name}:`));
  if (index < 0) {
    lines.push(line);
  } else {
    lines[index] = line;
  }
  return `${lines.join("\n")}\n`;
}

/** What keeps a name out of a users file; undefined for a good one. */
export function nameProblem(name: string): string | undefined {
  if (name === "") {
    return "is empty";
  }
  if (name.startsWith("#")) {
    return 'begins with "#", as comments do';
  }
  if (name.includes(":")) {
    return 'has a ":", which ends it in the file';
  }
  if (name !== name.trim() || /\p{Cc}/u.test(name)) {
    return "has blanks around it or control characters";
  }
  return Buffer.byteLength(name) > MAXIMUM_FIELD_LENGTH ? "is too long for MQTT" : undefined;
}

const REMEDY = 'write lines with "tidewire passwd FILE USER"';

function isComment(line: string): boolean {
  return line.trim() === "" || line.startsWith("#");
}
