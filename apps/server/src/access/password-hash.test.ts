import { scryptSync } from "node:crypto";
import { expect, it } from "vitest";
import { DECOY, hashPassword, isPassword, parsePasswordHash } from "./password-hash.ts";

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

it.each([
  "",
  "secret",
  "$7$101$c2FsdHNhbHRzYWx0$a2V5a2V5a2V5a2V5a2V5a2V5a2V5a2V5",
  "$scrypt$ln=15,r=8,p=1$c2FsdA$a2V5a2V5a2V5a2V5a2V5a2V5a2V5a2V5",
  "$scrypt$ln=15,r=8,p=1$c2FsdHNhbHRzYWx0$a2V5",
  "$scrypt$ln=0,r=8,p=1$c2FsdHNhbHRzYWx0$a2V5a2V5a2V5a2V5a2V5a2V5a2V5a2V5",
  // 1 GiB.
  "$scrypt$ln=20,r=8,p=1$c2FsdHNhbHRzYWx0$a2V5a2V5a2V5a2V5a2V5a2V5a2V5a2V5",
  "$scrypt$ln=15,r=8,p=1$c2FsdHNhbHRzYWx0$a2V5a2V5a2V5a2V5a2V5a2V5a2V5a2V5 ",
])("does not take %j for a hash", (text) => {
  expect(parsePasswordHash(text)).toBeUndefined();
});
