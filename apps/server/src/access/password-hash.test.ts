import { createHash, scryptSync } from "node:crypto";
import { expect, it } from "vitest";
import { DECOY, decoyOf, hashPassword, isPassword, parsePasswordHash } from "./password-hash.ts";

it("knows a password by its hash, and each hash has a salt of its own", async () => {
  const secret = Buffer.from("Füchse fliegen");
  const [one, other] = await Promise.all([hashPassword(secret), hashPassword(secret)]);
  expect(one.text).not.toBe(other.text);
  const read = parsePasswordHash(one.text);
  expect(read).toEqual(one);
  expect(await isPassword(secret, read ?? DECOY)).toBe(true);
  expect(await isPassword(Buffer.from("Füchse fliegen "), one)).toBe(false);
  expect(await isPassword(new Uint8Array(), one)).toBe(false);
});

it("reads hashes of other cost, as other programs write them", async () => {
  const [salt, base64] = [Buffer.alloc(16, 7), (bytes: Buffer) => bytes.toString("base64").replaceAll("=", "")];
  const key = scryptSync("secret", salt, 32, { N: 1024, r: 4, p: 2 });
  const hash = parsePasswordHash(`$scrypt$ln=10,r=4,p=2$${base64(salt)}$${base64(key)}`);
  expect(await isPassword(Buffer.from("secret"), hash ?? DECOY)).toBe(true);
});

it("tells passwords apart that HMAC takes for one key", async () => {
  const hash = await hashPassword(Buffer.from("pw"));
  expect(hash.text).toMatch(/^\$scrypt\$v=2\$ln=/);
  expect(await isPassword(Buffer.from("pw\0"), hash)).toBe(false);
  expect(await isPassword(Buffer.from("pw\0\0"), hash)).toBe(false);

  const long = Buffer.from("long".repeat(20));
  const ofLong = await hashPassword(long);
  expect(await isPassword(long, ofLong)).toBe(true);
  expect(await isPassword(createHash("sha256").update(long).digest(), ofLong)).toBe(false);
});

it("still knows a password by a hash of version 1, but not one with zeros at its end", async () => {
  const salt = Buffer.alloc(16, 7);
  const text = (password: string): string => {
    const key = scryptSync(password, salt, 32, { N: 1024, r: 4, p: 2 });
    return `$scrypt$ln=10,r=4,p=2$${salt.toString("base64").slice(0, 22)}$${key.toString("base64").slice(0, 43)}`;
  };
  const hash = parsePasswordHash(text("pw")) ?? DECOY;
  expect(hash).toMatchObject({ version: 1, text: text("pw") });
  expect(await isPassword(Buffer.from("pw"), hash)).toBe(true);
  expect(await isPassword(Buffer.from("pw\0"), hash)).toBe(false);
});

it("makes a decoy that takes what its model takes, and fits nothing", async () => {
  const model = await hashPassword(Buffer.from("secret"));
  const decoy = decoyOf(model);
  expect(decoy).toMatchObject({ version: model.version, options: model.options });
  expect([decoy.salt.length, decoy.key.length]).toEqual([model.salt.length, model.key.length]);
  expect(await isPassword(Buffer.from("secret"), decoy)).toBe(false);
});

it.each([
  "",
  "secret",
  "$7$101$c2FsdHNhbHRzYWx0$a2V5a2V5a2V5a2V5a2V5a2V5a2V5a2V5",
  "$scrypt$ln=15,r=8,p=1$c2FsdA$a2V5a2V5a2V5a2V5a2V5a2V5a2V5a2V5",
  "$scrypt$ln=15,r=8,p=1$c2FsdHNhbHRzYWx0$a2V5",
  "$scrypt$ln=0,r=8,p=1$c2FsdHNhbHRzYWx0$a2V5a2V5a2V5a2V5a2V5a2V5a2V5a2V5",
  // 1 GiB.
  "$scrypt$ln=20,r=8,p=1$c2FsdHNhbHRzYWx0$a2V5a2V5a2V5a2V5a2V5a2V5a2V5a2V5",
  // Three minutes.
  "$scrypt$ln=15,r=16,p=99$c2FsdHNhbHRzYWx0$a2V5a2V5a2V5a2V5a2V5a2V5a2V5a2V5",
  "$scrypt$v=3$ln=15,r=8,p=1$c2FsdHNhbHRzYWx0$a2V5a2V5a2V5a2V5a2V5a2V5a2V5a2V5",
  "$scrypt$ln=15,r=8,p=1$c2FsdHNhbHRzYWx0$a2V5a2V5a2V5a2V5a2V5a2V5a2V5a2V5 ",
])("does not take %j for a hash", (text) => {
  expect(parsePasswordHash(text)).toBeUndefined();
});

// A file that was written in part: what is left of a key would fit, since scrypt's shorter keys begin its longer ones.
it("takes no hash that has lost its end", async () => {
  const { text: whole } = await hashPassword(Buffer.from("pw"));
  expect(parsePasswordHash(whole)).toBeDefined();
  for (let length = 0; length < whole.length; length += 1) {
    expect(parsePasswordHash(whole.slice(0, length))).toBeUndefined();
  }
});
