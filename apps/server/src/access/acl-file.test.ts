import { expect, it } from "vitest";
import { UsageError } from "../errors.ts";
import { parseAcl } from "./acl-file.ts";

it("reads Mosquitto's form", () => {
  const rules = parseAcl(
    "acl",
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
      "topic read",
    ].join("\n"),
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
        // Without a second word the first one is the topic.
        { access: "readwrite", filter: "read" },
      ],
    ],
    ["jessica", [{ access: "write", filter: "read/it" }]],
  ]);
});

it.each([
  ["topics read a", /^ACL file a, line 2: this is no rule; write user NAME, topic ACCESS FILTER or pattern/],
  ["user", /line 2: this is no rule/],
  ["topic read a/#/b", /line 2: .*; write a topic filter such as/],
  ["pattern read a+", /line 2: /],
  ["topic read $share/group/a", /line 2: this is a shared subscription; leave \$share\/GROUP\/ out/],
])("refuses %j", (line, message) => {
  const parse = () => parseAcl("a", `user alice\n${line}\n`);
  expect(parse).toThrow(UsageError);
  expect(parse).toThrow(message);
});
