import { describe, expect, it } from "vitest";
import { Acl, type AclClient } from "./acl.ts";
import { parseAcl } from "./acl-file.ts";

const acl = new Acl(
  parseAcl(
    "acl",
    Buffer.from(
      [
        "topic read public/#",
        "pattern write up/%u/%c",
        "pattern read %c/inbox",
        "user alice",
        "topic devices/+/status",
        "topic read sensors/#",
        "topic deny sensors/door/#",
        "topic write log",
        "topic readwrite room/#",
        "topic deny room/+/safe",
        "user root",
        "topic readwrite #",
      ].join("\n"),
    ),
  ),
);

const client = (username: string | undefined, clientId = "c1"): AclClient => ({ username, clientId });
const alice = client("alice");
const root = client("root");

describe("an ACL", () => {
  it.each([
    [alice, "devices/7/status", true, true],
    [alice, "devices/7/name", false, false],
    [alice, "sensors/attic/heat", true, false],
    [alice, "sensors", true, false],
    [alice, "sensors/door", false, false],
    [alice, "sensors/door/front", false, false],
    [alice, "log", false, true],
    [alice, "room/7/light", true, true],
    [alice, "room/7/safe", false, false],
    // Rules for anonymous clients are for nobody else.
    [alice, "public/news", false, false],
    [client(undefined), "public/news", true, false],
    [client(undefined), "log", false, false],
    [client("bob"), "public/news", false, false],
    [client("constructor"), "log", false, false],
    [root, "anything/at/all", true, true],
    [root, "$SYS/broker/uptime", false, false],
    [alice, "up/alice/c1", false, true],
    [alice, "up/alice/c2", false, false],
    [alice, "up/root/c1", false, false],
    [alice, "c1/inbox", true, false],
    // It has no user name for the pattern.
    [client(undefined), "up//c1", false, false],
    [client(undefined), "c1/inbox", true, false],
  ] as const)("lets %j with %s: receive %s, publish %s", (who, topic, receive, publish) => {
    expect(acl.mayReceive(who, topic)).toBe(receive);
    expect(acl.mayPublish(who, topic)).toBe(publish);
  });

  it.each([
    [alice, "sensors/attic/heat", true],
    [alice, "sensors/door/front", false],
    // Some of it may be received; the rest is held back when it comes.
    [alice, "#", true],
    [alice, "sensors/+/front", true],
    [alice, "+/7/status", true],
    [alice, "$share/group/sensors/#", true],
    [alice, "$share/group/log", false],
    [alice, "log/#", false],
    [alice, "+/inbox", true],
    [alice, "+", true],
    [client("bob"), "+/+/+", false],
    [root, "$SYS/#", false],
    [root, "#", true],
  ] as const)("lets %j subscribe to %s: %s", (who, filter, allowed) => {
    expect(acl.maySubscribe(who, filter)).toBe(allowed);
  });

  it.each(["#", "+", "a/b", "/", "", "$SYS", "$share", "%u", "$&"])(
    "takes the client identifier %j for a name only",
    (clientId) => {
      const rules = new Acl(parseAcl("acl", Buffer.from("pattern %c/x/#\npattern own/%u/%c")));
      const who = client("alice", clientId);
      for (const topic of ["victim/x/1", "a/b/x/1", "anything", "$SYS/x/1", "own/alice/b", "own/alice/alice"]) {
        expect(rules.mayReceive(who, topic), topic).toBe(false);
        expect(rules.mayPublish(who, topic), topic).toBe(false);
      }
    },
  );

  it.each(["c1", "a/b", "+", "#"])("lets the client identifier %j not get round a deny", (clientId) => {
    const rules = new Acl(parseAcl("acl", Buffer.from("pattern read #\npattern deny private/%c")));
    const who = client("alice", clientId);
    expect(rules.mayReceive(who, "public")).toBe(true);
    expect(rules.mayReceive(who, `private/${clientId.replace(/[+#]/, "x")}`)).toBe(false);
  });
});
