import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { invalidBytesVectors, invalidPacketVectors, topicVectors, validVectors } from "./vectors.ts";

interface Statement {
  readonly id: string;
  readonly testable: string;
}

for (const [file, versions] of [
  ["mqtt-3.1.1.json", [3, 4]],
  ["mqtt-5.0.json", [5]],
] as const) {
  test(`each statement of ${file} that the codec can break has a vector that names it`, () => {
    const url = new URL(`../../conformance/spec/${file}`, import.meta.url);
    const statements = JSON.parse(readFileSync(url, "utf8")) as readonly Statement[];
    const named = new Set(
      [...validVectors, ...invalidBytesVectors, ...invalidPacketVectors]
        .filter(({ version }) => (versions as readonly number[]).includes(version))
        .flatMap((vector) => vector.statements),
    );
    const missing = statements.filter(({ id, testable }) => testable === "codec" && !named.has(id)).map(({ id }) => id);
    expect(missing).toEqual([]);
    const known = new Set(statements.map(({ id }) => id));
    expect([...named].filter((id) => !known.has(id))).toEqual([]);
  });
}

test("vectors of topics name statements of MQTT 5.0", () => {
  expect(topicVectors.names.flatMap(({ statements = [] }) => statements)).toContain("MQTT-4.7.3-1");
});
