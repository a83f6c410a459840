import { expect, test } from "vitest";
import { type LinkEvent, linkStates } from "./link-states.ts";

test("every state leads to the end, and none out of it", () => {
  for (const start of Object.keys(linkStates) as (keyof typeof linkStates)[]) {
    let state = start;
    for (const event of ["close", "stop", "closed", "drained"] satisfies LinkEvent[]) {
      state = linkStates[state][event] ?? state;
    }
    expect(state).toBe("over");
  }
  expect(linkStates.over).toEqual({});
});

test("nothing is read or sent again once the connection was told to end", () => {
  for (const state of ["stopped", "draining", "over"] as const) {
    expect(Object.values(linkStates[state])).not.toContain("open");
    expect(Object.values(linkStates[state])).not.toContain("finishing");
  }
});
