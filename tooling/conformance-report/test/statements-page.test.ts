import { readFileSync } from "node:fs";
import { coverageProblems, type MqttVersion, UNOBSERVABLE } from "@tidewire/conformance";
import { brokerCases } from "@tidewire/conformance/broker";
import { clientCases } from "@tidewire/conformance/client";
import { codecCases } from "@tidewire/conformance/codec";
import { readStatements } from "@tidewire/conformance/node";
import { sessionCases } from "@tidewire/conformance/session";
import { describe, expect, test } from "vitest";

const cases = [...brokerCases, ...clientCases, ...codecCases, ...sessionCases];
const page = readFileSync(new URL("../../../docs/conformance.md", import.meta.url), "utf8");

describe("docs/conformance.md", () => {
  test.each<MqttVersion>(["3.1.1", "5.0"])("names every case and statement of MQTT %s", (version) => {
    expect(coverageProblems(version, readStatements(version), cases)).toEqual([]);
    expect(Object.keys(UNOBSERVABLE[version]).length).toBeLessThanOrEqual(5);
    const rows = page.slice(page.indexOf(`## MQTT ${version}`)).split("\n");
    const missing = cases
      .filter((testCase) => testCase.version === version && testCase.statements.length > 0)
      .flatMap((testCase) => testCase.statements.map((id) => [id, testCase.id.slice(version.length + 1)] as const))
      .filter(([id, name]) => !rows.some((row) => row.startsWith(`| ${id} |`) && row.includes(`\`${name}\``)));
    expect(missing, "run `node tooling/conformance-report/run.js`").toEqual([]);
  });

  test("shows no failure of Tidewire", () => {
    expect(page).not.toContain("**failed**");
  });
});
