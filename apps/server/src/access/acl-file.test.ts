import { expect, it } from "vitest";
import { UsageError } from "../errors.ts";
import { type AclRules, parseAcl } from "./acl-file.ts";

function parse(text: string): AclRules {
  return parseAcl("a", Buffer.from(text));
}

it("reads Mosquitto's form", () => {
  const rules = parse(
    [
      "# General section",
      "topic read $SYS/#",
      "pattern write clients/%c/state",
      "",
      "user roger rabbit",
      "topic foo/bar",
      "\ttopic  readwrite  a topic/with blanks  ",
      "topic deny foo/secret\r",
      "user jessica",
      "topic write read/it",
      "user roger rabbit",
      "topic reading/room",
    ].join("\n"),
  );
  expect(rules.userLines).toEqual(
    new Map([
      ["roger rabbit", 5],
      ["jessica", 9],
    ]),
  );
  expect(rules.anonymous).toEqual([{ access: "read", filter: "$SYS/#" }]);
  expect(rules.patterns).toEqual([{ access: "write", filter: "clients/%c/state" }]);
  expect([...rules.users]).toEqual([
    [
      "roger rabbit",
      [
        { access: "readwrite", filter: "foo/bar" },
        { access: "readwrite", filter: "a topic/with blanks" },
        { access: "deny", filter: "foo/secret" },
        { access: "readwrite", filter: "reading/room" },
      ],
    ],
    ["jessica", [{ access: "write", filter: "read/it" }]],
  ]);
});

it.each([
  [
    "topics read a",
    /^ACL file a, line 2: this is no rule \(did you mean "topic"\?\); write user NAME, topic ACCESS FILTER/,
  ],
  ["user", /line 2: this is no rule; write/],
  ["toast", /line 2: this is no rule; write/],
  ["topic read a/#/b", /line 2: .*; write a topic filter such as/],
  ["pattern read a+", /line 2: /],
  ["topic read $share/group/a", /line 2: this is a shared subscription; leave \$share\/GROUP\/ out/],
  [
    "topic dney x",
    /line 2: "dney" is no kind of access \(did you mean "deny"\?\); write read, write, readwrite or deny/,
  ],
  ["topic DENY x", /line 2: "DENY" is no kind of access \(did you mean "deny"\?\)/],
  ["topic a room", /line 2: "a" is no kind of access; .* a filter with blanks needs one of them/],
  [
    "topic deny",
    /"deny" begins with the word "deny" and says no access; write topic deny FILTER, or topic readwrite deny /,
  ],
  [
    "pattern Deny/%u/#",
    /begins with the word "Deny" .*; write pattern deny FILTER, or pattern readwrite Deny\/%u\/# where/,
  ],
  ["topic deny\u200bsecret", /begins with the word "deny"/],
  ["topic deny devices/%u/key", /line 2: a topic line knows no %u; write a pattern line/],
  ["pattern deny devices/%U/key", /line 2: "%U" stands for nothing; write %u .* or %c/],
  ["pattern deny devices/%", /line 2: "%" stands for nothing/],
])("refuses %j", (line, message) => {
  const read = () => parse(`user alice\n${line}\n`);
  expect(read).toThrow(UsageError);
  expect(read).toThrow(message);
});

it("refuses a file that is not UTF-8, and puts up with a byte order mark", () => {
  const read = () => parseAcl("a", Buffer.from("user alice\ntopic deny B\xfcro/#\n", "latin1"));
  expect(read).toThrow(/^ACL file a, line 2: this is not UTF-8; save the file as UTF-8$/);
  expect(parse("\ufeff# for people\nuser alice\ntopic deny Büro/#\r\n").users.get("alice")).toEqual([
    { access: "deny", filter: "Büro/#" },
  ]);
});
