import { readFileSync } from "node:fs";
import type { MqttVersion } from "../case.ts";
import type { Statement } from "../statements.ts";

/** The numbered statements of a version, in the order of the specification. */
export function readStatements(version: MqttVersion): readonly Statement[] {
  const file = new URL(`../../spec/mqtt-${version}.json`, import.meta.url);
  return JSON.parse(readFileSync(file, "utf8")) as Statement[];
}
