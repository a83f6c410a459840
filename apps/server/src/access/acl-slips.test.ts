import { expect, it } from "vitest";
import { UsageError } from "../errors.ts";
import { Acl, type AclClient } from "./acl.ts";
import { parseAcl } from "./acl-file.ts";

// "An unknown word in a rules file counts as a topic" (field-failures.md); attack 46. Whoever slips on the keyboard
// gets an error, or less than what was meant, but never more.

const RULES = [
  "topic read public/#",
  "pattern readwrite own/%u/#",
  "pattern deny own/%u/sealed",
  "user alice",
  "topic plain/#",
  "topic deny plain/secret",
  "topic read readings/#",
  "topic write log",
  "topic readwrite room/#",
  "topic deny room/safe",
  "user bob",
  "topic read news",
  "topic deny news/late",
];

const CLIENTS: readonly AclClient[] = ["alice", "bob", undefined].map((username) => ({ username, clientId: "c1" }));

/** Every topic of the rules, and what a wrongly read line might give instead. */
const TOPICS = [
  ...["public/a", "own/alice/a", "own/alice/sealed", "own/bob/a", "own/bob/sealed", "plain/a", "plain/secret"],
  ...["readings/a", "log", "room/a", "room/safe", "news", "news/late", "secret", "deny", "read", "a", "own/a"],
];

/** What the rules allow, each as a word for an action, a client and a topic. */
function rights(lines: readonly string[]): Set<string> {
  const acl = new Acl(parseAcl("acl", Buffer.from(lines.join("\n"))));
  const all = CLIENTS.flatMap((client) =>
    TOPICS.flatMap((topic) => [
      ...(acl.mayPublish(client, topic) ? [`${client.username} writes ${topic}`] : []),
      ...(acl.mayReceive(client, topic) ? [`${client.username} reads ${topic}`] : []),
    ]),
  );
  return new Set(all);
}

const LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 \t/+%$_-.\u00a0\u200b\u0430";

/** All words that come of one wrong letter: replaced, left out, doubled, put in, swapped with the next. */
function* slips(word: string): Generator<string> {
  for (let index = 0; index <= word.length; index += 1) {
    const [before, after] = [word.slice(0, index), word.slice(index)];
    for (const letter of LETTERS) {
      yield before + letter + after;
      if (after !== "") {
        yield before + letter + after.slice(1);
      }
    }
    if (after !== "") {
      yield before + after.slice(1);
    }
    if (after.length > 1) {
      yield before + after[1] + after[0] + after.slice(2);
    }
  }
}

it("never understands a slip in a keyword as more than was meant", () => {
  const meant = rights(RULES);
  let [tried, refused] = [0, 0];
  for (const [index, line] of RULES.entries()) {
    const [keyword = "", second = "", ...rest] = line.split(" ");
    const isAccess = ["read", "write", "readwrite", "deny"].includes(second);
    const wrongLines = [
      ...[...slips(keyword)].map((word) => [word, second, ...rest].join(" ")),
      ...(isAccess ? [...slips(second)].map((word) => [keyword, word, ...rest].join(" ")) : []),
    ].filter((wrong) => wrong.trim() !== line);
    for (const wrong of wrongLines) {
      tried += 1;
      try {
        const more = [...rights(RULES.with(index, wrong))].filter((right) => !meant.has(right));
        expect(more, JSON.stringify(wrong)).toEqual([]);
      } catch (error) {
        if (!(error instanceof UsageError)) {
          throw error;
        }
        refused += 1;
      }
    }
  }
  expect(tried).toBeGreaterThan(10_000);
  // What is left is blanks more or less, and a word that became another one.
  expect(refused / tried).toBeGreaterThan(0.9);
});
