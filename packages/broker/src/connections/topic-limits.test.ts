import { NOT_AUTHORIZED, TOPIC_NAME_INVALID } from "@tidewire/codec/codes";
import { describe, expect, it } from "vitest";
import { DEFAULT_LIMITS } from "../limits.ts";
import { topicFits, topicRefusal } from "./topic-limits.ts";

const LIMITS = { ...DEFAULT_LIMITS, topicLength: 10, topicLevels: 3 };

describe("topicFits", () => {
  it.each([
    ["a", true],
    ["a/b/c", true],
    ["//", true],
    ["a/b/c/d", false],
    ["///", false],
    ["1234567890", true],
    ["12345678901", false],
    ["123/5/7890", true],
    ["1/3/5/7890", false],
  ])("%s: %s", (topic, fits) => {
    expect(topicFits(topic, LIMITS)).toBe(fits);
  });

  it("holds the length of topics that are too short to have many levels", () => {
    const limits = { ...DEFAULT_LIMITS, topicLength: 2, topicLevels: 100 };
    expect([topicFits("ab", limits), topicFits("abc", limits)]).toEqual([true, false]);
  });
});

describe("topicRefusal", () => {
  const limits = DEFAULT_LIMITS;
  const client = { clientId: "c" };
  const bridge = { clientId: "c", bridge: true };

  it("says that a topic is too long or too deep", () => {
    expect(topicRefusal("a/b/c/d", LIMITS, client)).toBe(TOPIC_NAME_INVALID);
    expect(topicRefusal("a/b/c", LIMITS, client)).toBe(0);
  });

  it.each([
    ["$SYS/broker/uptime", client, NOT_AUTHORIZED],
    ["$SYS/", client, NOT_AUTHORIZED],
    ["$SYS", client, 0],
    ["$SYSTEM/a", client, 0],
    ["a/$SYS/b", client, 0],
    // Where bridges say that they are there: an MQTT 5 client has the place of its own identifier.
    ["$SYS/broker/connection/c/state", client, 0],
    ["$SYS/broker/connection/d/state", client, NOT_AUTHORIZED],
    ["$SYS/broker/connection/d/state", bridge, 0],
    ["$SYS/broker/connection/d/e/state", bridge, NOT_AUTHORIZED],
    ["$SYS/broker/connection//state", bridge, NOT_AUTHORIZED],
    ["$SYS/broker/connection/d/state/x", bridge, NOT_AUTHORIZED],
    ["$SYS/x/$SYS/broker/connection/d/state", bridge, NOT_AUTHORIZED],
    ["$SYS/broker/uptime", bridge, NOT_AUTHORIZED],
  ])("of %s for %j is %i", (topic, who, code) => {
    expect(topicRefusal(topic, limits, who)).toBe(code);
  });
});
