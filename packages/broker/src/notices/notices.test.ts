import { expect, it } from "vitest";
import { silentLogger } from "../logger.ts";
import { Deadline } from "../time/index.ts";
import { Notices } from "./notices.ts";

function bench(): { notices: Notices; lines: string[]; pass: () => void } {
  const lines: string[] = [];
  let due: (() => void)[] = [];
  const notices = new Notices({
    logger: { ...silentLogger, info: (line) => lines.push(line) },
    deadlines: {
      after: (_, action) => {
        due.push(action);
        return new Deadline(action);
      },
    },
  });
  return {
    notices,
    lines,
    pass: () => {
      const now = due;
      due = [];
      for (const action of now) {
        action();
      }
    },
  };
}

it("names client, address and reason, whatever the identifier holds", () => {
  const { notices, lines } = bench();
  notices.tell("disconnected", { clientId: "gauge-7", address: "10.0.0.5:50213" }, "The client sent nothing for 90 s.");
  notices.tell("refused", { address: "10.0.0.5:50213" }, "wrong password");
  notices.tell("refused", { clientId: `a\n"${"b".repeat(500)}` }, "too long");
  expect(lines[0]).toBe('client "gauge-7" at 10.0.0.5:50213 was disconnected: it sent nothing for 90 s');
  expect(lines[1]).toBe("a client at 10.0.0.5:50213 was refused: wrong password");
  expect(lines[2]).toMatch(/^client "a\\n\\"b{61}\.\.\." was refused: too long$/);
});

it("cuts a flood of one kind to its share, counts the rest, and begins anew", () => {
  const { notices, lines, pass } = bench();
  for (let i = 0; i < 1000; i += 1) {
    notices.tell("refused", { clientId: `c${i}` }, "too many");
  }
  notices.tell("disconnected", { clientId: "other" }, "another kind has a share of its own");
  expect(lines).toHaveLength(21);
  pass();
  expect(lines.at(-1)).toBe("980 more times a client was refused in the last 10 s; those lines were left out");
  notices.tell("refused", { clientId: "c" }, "again");
  expect(lines).toHaveLength(23);
  pass();
  expect(lines).toHaveLength(23);
});
