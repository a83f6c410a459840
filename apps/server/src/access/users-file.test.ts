import { describe, expect, it } from "vitest";
import { UsageError } from "../errors.ts";
import { DECOY, hashPassword } from "./password-hash.ts";
import { Decoys, nameProblem, parseUsers as parse, type Users, withUser } from "./users-file.ts";

const HASH = DECOY.text;

function parseUsers(file: string, text: string, before?: Users): Users {
  return parse(file, Buffer.from(text), before);
}

describe("parseUsers", () => {
  it("reads a line for each user, and passes over what is for people", () => {
    const users = parseUsers("users", `# the lab\r\nalice:${HASH}\r\n\r\n   \ngauge 7 / north:${HASH}\n`);
    expect([...users.keys()]).toEqual(["alice", "gauge 7 / north"]);
    expect(users.get("alice")).toEqual(DECOY);
    expect(users.get("constructor")).toBeUndefined();
    expect(parseUsers("users", "").size).toBe(0);
  });

  it.each([
    ["alice", /^users file u, line 2: this is not NAME:HASH; write lines with "tidewire passwd FILE USER"$/],
    [`:${HASH}`, /line 2: the user name is empty/],
    [` alice:${HASH}`, /line 2: the user name has blanks around it/],
    ["alice:secret", /line 2: user "alice" has no scrypt hash of the right form and cost/],
    [`bob:${HASH}`, /line 2: user "bob" is there already; keep one of the lines/],
  ])("refuses %j", (line, message) => {
    const parse = () => parseUsers("u", `bob:${HASH}\n${line}\n`);
    expect(parse).toThrow(UsageError);
    expect(parse).toThrow(message);
  });

  it("keeps the objects of hashes that stay, and no others", async () => {
    const before = parseUsers("u", `alice:${HASH}\nbob:${HASH}\n`);
    const other = await hashPassword(Buffer.from("new"));
    const after = parseUsers("u", `bob:${other.text}\nalice:${HASH}\n`, before);
    expect(after.get("alice")).toBe(before.get("alice"));
    expect(after.get("bob")).toEqual(other);
  });

  it("does not repeat a password that somebody wrote as it is", () => {
    expect(() => parseUsers("u", "alice:hunter2")).not.toThrow(/hunter2/);
  });
});

it("refuses a file that is not UTF-8", () => {
  const latin1 = Buffer.from(`bob:${HASH}\nj\xfcrgen:${HASH}\n`, "latin1");
  expect(() => parse("u", latin1)).toThrow(/^users file u, line 2: this is not UTF-8; save the file as UTF-8$/);
});

describe("Decoys", () => {
  it("cost what the users' hashes cost, as often as among them, and the same for a name each time", () => {
    const cheap = HASH.replace("ln=15", "ln=10");
    const decoys = new Decoys(parseUsers("u", `a:${HASH}\nb:${cheap}\nc:${cheap}\nd:${cheap}\n`));
    const names = Array.from({ length: 2000 }, (_, index) => `nobody ${index}`);
    const found = names.map((name) => decoys.get(name));
    expect(names.map((name) => decoys.get(name))).toEqual(found);
    const share = found.filter(({ options }) => options.N === 1024).length / names.length;
    expect(share).toBeGreaterThan(0.65);
    expect(share).toBeLessThan(0.85);
    expect(new Set(found.map(({ options }) => options.N))).toEqual(new Set([1024, 32_768]));
  });

  it("are there when nobody else is", () => {
    expect(new Decoys(new Map()).get("alice")).toBe(DECOY);
  });
});

describe("withUser", () => {
  it.each([
    ["", `alice:${HASH}\n`],
    ["# first\nbob:x", `# first\nbob:x\nalice:${HASH}\n`],
    ["malice:x\nalice:old\n\n# end\n", `malice:x\nalice:${HASH}\n\n# end\n`],
  ])("makes %j into %j", (before, after) => {
    expect(withUser(before, "alice", DECOY)).toBe(after);
  });
});

it.each([
  ["alice", undefined],
  ["a user/with:colon", 'has a ":"'],
  ["#alice", 'begins with "#"'],
  ["al\nice", "control characters"],
  ["ä".repeat(32_768), "too long"],
])("finds what is wrong with the name %.20j", (name, problem) => {
  if (problem === undefined) {
    expect(nameProblem(name)).toBeUndefined();
  } else {
    expect(nameProblem(name)).toContain(problem);
  }
});
