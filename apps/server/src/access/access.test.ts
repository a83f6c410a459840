import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ClientInfo, ConnectRequest } from "@tidewire/broker";
import type { Will } from "@tidewire/codec";
import { pino } from "pino";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { UsageError } from "../errors.ts";
import { Access } from "./access.ts";
import { PasswordChecker } from "./password-checker.ts";
import { hashPassword, type PasswordHash } from "./password-hash.ts";

let directory: string;
let usersFile: string;
let aclFile: string;

beforeEach(async () => {
  signal = undefined;
  directory = mkdtempSync(join(tmpdir(), "tidewire-access-"));
  usersFile = join(directory, "users");
  aclFile = join(directory, "acl");
  writeFileSync(usersFile, await users({ alice: "one", bob: "two" }));
  writeFileSync(aclFile, "pattern write up/%u/#\nuser alice\ntopic read news\n");
});

afterEach(() => {
  rmSync(directory, { recursive: true });
});

async function users(passwords: Readonly<Record<string, string>>): Promise<string> {
  const lines = Object.entries(passwords).map(async ([name, password]) => {
    return `${name}:${(await hashPassword(Buffer.from(password))).text}\n`;
  });
  return (await Promise.all(lines)).join("");
}

function open(options: { readonly acl?: boolean; readonly allowAnonymous?: boolean } = {}): Access {
  const { acl = false, allowAnonymous = false } = options;
  const logger = pino({ level: "silent" });
  return new Access(
    { usersFile, aclFile: acl ? aclFile : undefined, allowAnonymous, clientIds: [], checkRetained: false },
    logger,
  );
}

/** Who has the session with the client identifier that all use here. */
let signal: AbortSignal | undefined;

/** 0 when the client is let in. */
async function connect(access: Access, username?: string, password?: string, willTopic?: string): Promise<number> {
  const will: Will | undefined =
    willTopic === undefined
      ? undefined
      : { topic: willTopic, payload: new Uint8Array(), qos: 0, retain: false, properties: undefined };
  const request = {
    clientId: "c1",
    username,
    password: password === undefined ? undefined : Buffer.from(password),
    connection: { remoteAddress: "192.0.2.1:4711" },
    packet: { will },
    signal,
  };
  const result = await access.hooks.authenticate?.(request as unknown as ConnectRequest);
  if (typeof result === "object" && "reasonCode" in result) {
    return result.reasonCode;
  }
  expect(result).toBe(true);
  return 0;
}

function connected(access: Access, username: string | undefined): ClientInfo {
  const client = { clientId: `${username}-1`, username } as ClientInfo;
  access.hooks.onConnected?.(client, false);
  return client;
}

it("lets in who has the right password, and says nothing more to all others", async () => {
  const access = open();
  expect(await connect(access, "alice", "one")).toBe(0);
  expect(await connect(access, "alice", "two")).toBe(0x86);
  expect(await connect(access, "alice")).toBe(0x86);
  expect(await connect(access, "carol", "one")).toBe(0x86);
  expect(await connect(access, "", "")).toBe(0x86);
  expect(await connect(access, undefined, "one")).toBe(0x86);
  expect(await connect(access)).toBe(0x87);
});

it("tells a client to come later when too many passwords wait to be checked", async () => {
  const busy = { check: async () => "busy" as const, close() {} };
  const access = new Access(
    { usersFile, aclFile: undefined, allowAnonymous: true, clientIds: [], checkRetained: false },
    pino({ level: "silent" }),
    busy,
  );
  expect(await connect(access, "alice", "one")).toBe(0x89);
  expect(await connect(access)).toBe(0);
});

// Attack 47: whoever asks must not learn from the time which users there are. Counted in hashes, which take all of it.
it("hashes once for each name and password, whoever is in the file", async () => {
  const hashed: PasswordHash[] = [];
  const checker = new PasswordChecker(async (_password, hash) => {
    hashed.push(hash);
    return false;
  });
  const options = { usersFile, aclFile: undefined, allowAnonymous: true, clientIds: [], checkRetained: false };
  const access = new Access(options, pino({ level: "silent" }), checker);
  for (const [name, password] of [
    ["alice", "wrong"],
    ["carol", "wrong"],
    ["", "wrong"],
    [undefined, "wrong"],
    ["alice", undefined],
    ["carol", undefined],
  ] as const) {
    hashed.length = 0;
    expect(await connect(access, name, password)).toBe(0x86);
    expect(hashed.map(({ options: { N, r, p } }) => [N, r, p])).toEqual([[32_768, 8, 1]]);
  }
});

it("gives no hash to a client that is gone, nor to anybody after it was closed", async () => {
  const signals: unknown[] = [];
  const passwords = {
    check: async (_password: unknown, _hash: unknown, source: { signal?: AbortSignal | undefined }) => {
      signals.push(source.signal);
      return "cancelled" as const;
    },
    close: () => signals.push("closed"),
  };
  const access = new Access(
    { usersFile, aclFile: undefined, allowAnonymous: true, clientIds: [], checkRetained: false },
    pino({ level: "silent" }),
    passwords,
  );
  signal = new AbortController().signal;
  expect(await connect(access, "alice", "one")).toBe(0x88);
  access.close();
  expect(signals).toEqual([signal, "closed"]);
});

it("warns of rules for a user that is not there", () => {
  writeFileSync(aclFile, "user alice\ntopic read news\nuser bbo\ntopic deny news\n");
  const lines: string[] = [];
  const logger = pino({ level: "warn" }, { write: (line: string) => lines.push(line) });
  const access = new Access({ usersFile, aclFile, allowAnonymous: false, clientIds: [], checkRetained: false }, logger);
  const warning =
    /acl, line 3: user \\"bbo\\" is not in the users file \(did you mean \\"bob\\"\?\): .*; add the user, or/;
  expect(lines).toEqual([expect.stringMatching(warning)]);
  access.reload();
  expect(lines).toHaveLength(2);
});

it("lets in who gives no name where that is allowed, but no wrong names", async () => {
  const access = open({ allowAnonymous: true });
  expect(await connect(access)).toBe(0);
  expect(await connect(access, "carol", "one")).toBe(0x86);
});

it("asks the broker for no judgement of messages where there are no rules", () => {
  expect(Object.keys(open().hooks)).not.toContain("authorizeDelivery");
  expect(Object.keys(open({ acl: true }).hooks)).toContain("authorizeDelivery");
});

it("refuses a will that its client could not publish", async () => {
  const access = open({ acl: true });
  expect(await connect(access, "alice", "one", "up/alice/gone")).toBe(0);
  expect(await connect(access, "alice", "one", "up/bob/gone")).toBe(0x87);
  expect(await connect(open(), "alice", "one", "up/bob/gone")).toBe(0);
});

it("knows users for as long as they are in the file, and who has no name while such may come", () => {
  const hooks = open({ allowAnonymous: true }).hooks;
  expect(["alice", "somebody who is in the file no more", undefined].map((name) => hooks.knowsUser?.(name))).toEqual([
    true,
    false,
    true,
  ]);
  expect(open().hooks.knowsUser?.(undefined)).toBe(false);
});

describe("reload", () => {
  it("names the clients whose user is gone or has another password", async () => {
    const access = open({ allowAnonymous: true });
    const [alice, bob] = ["alice", "bob", undefined].map((name) => connected(access, name));
    expect(access.reload()).toEqual([]);

    const [, bobsLine = ""] = (await users({ alice: "one", bob: "new" })).split("\n");
    writeFileSync(usersFile, bobsLine);
    expect(access.reload()).toEqual([alice, bob]);
    expect(await connect(access, "alice", "one")).toBe(0x86);
    expect(await connect(access, "bob", "two")).toBe(0x86);
    expect(await connect(access, "bob", "new")).toBe(0);
  });

  it("forgets the clients that have gone", async () => {
    const access = open();
    access.hooks.onDisconnected?.(connected(access, "alice"), 0);
    writeFileSync(usersFile, "");
    expect(access.reload()).toEqual([]);
  });

  it("does not let in whose password was changed while it was checked", async () => {
    const access = open();
    const text = await users({ alice: "three" });
    const verdict = connect(access, "alice", "one");
    writeFileSync(usersFile, text);
    access.reload();
    expect(await verdict).toBe(0x86);
  });

  it("judges connected clients by the new rules", () => {
    const access = open({ acl: true });
    const alice = connected(access, "alice");
    const mayGet = (topic: string) => access.hooks.authorizeDelivery?.(alice, { topic } as never);
    expect([mayGet("news"), mayGet("weather")]).toEqual([true, false]);
    writeFileSync(aclFile, "user alice\ntopic read weather\n");
    access.reload();
    expect([mayGet("news"), mayGet("weather")]).toEqual([false, true]);
  });

  it.each(["users", "acl"])("leaves everything as it was when the %s file is bad", async (which) => {
    const access = open({ acl: true });
    connected(access, "alice");
    writeFileSync(usersFile, await users({ bob: "two" }));
    writeFileSync(join(directory, which), "nonsense");
    expect(() => access.reload()).toThrow(UsageError);
    expect(await connect(access, "alice", "one", "up/alice/gone")).toBe(0);
  });
});

it("names a file that cannot be read", () => {
  rmSync(aclFile);
  expect(() => open({ acl: true })).toThrow(/^--acl .*acl cannot be read \(ENOENT\); check the path, and see to its/);
  rmSync(usersFile);
  expect(() => open()).toThrow(/^--users .*users cannot be read \(ENOENT\); make it with "tidewire passwd FILE USER"/);
});
