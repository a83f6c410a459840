import { describe, expect, test } from "vitest";
import { brokerCases } from "./broker/index.ts";
import { clientCases } from "./client/index.ts";
import { codecCases } from "./codec/index.ts";
import { readStatements } from "./node/index.ts";
import { sessionCases } from "./session/index.ts";
import { coverageProblems, UNOBSERVABLE } from "./statements.ts";

const cases = [...brokerCases, ...clientCases, ...codecCases, ...sessionCases];

describe("statement coverage", () => {
  test.each([
    ["3.1.1", 141],
    ["5.0", 251],
  ] as const)("every statement of MQTT %s has a case or a reason", (version, count) => {
    const statements = readStatements(version);
    expect(statements).toHaveLength(count);
    expect(coverageProblems(version, statements, cases)).toEqual([]);
    expect(Object.keys(UNOBSERVABLE[version]).length).toBeLessThanOrEqual(5);
  });

  test("case ids are unique and begin with their version", () => {
    expect(new Set(cases.map(({ id }) => id)).size).toBe(cases.length);
    expect(cases.filter(({ id, version }) => !id.startsWith(`${version}/`))).toEqual([]);
  });

  test("finds a statement without a case, and a case of a statement that does not exist", () => {
    const statements = readStatements("5.0").slice(0, 2);
    const [first] = statements;
    const one = { id: "5.0/one", version: "5.0", statements: [first?.id ?? "", "MQTT-9.9.9-9"] } as const;
    expect(coverageProblems("5.0", statements, [one])).toEqual([
      "5.0/one names MQTT-9.9.9-9, which does not exist",
      "5.0 MQTT-1.5.4-2 has no case",
    ]);
    expect(coverageProblems("5.0", statements, [{ ...one, version: "3.1.1" }])).toHaveLength(2);
  });
});
