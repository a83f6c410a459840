import type { MqttVersion } from "./case.ts";

/** A numbered normative statement, paraphrased for testers; the specification decides. */
export interface Statement {
  /** As printed, without brackets, such as `MQTT-3.1.0-2`. */
  readonly id: string;
  readonly section: string;
  readonly role: "client" | "server" | "both";
  readonly level: string;
  readonly testable: "wire" | "client" | "codec" | "inspection";
  readonly summary: string;
}

/** Statements that nothing outside can provoke or observe, with the reason; they have no case. */
export const UNOBSERVABLE: Readonly<Record<MqttVersion, Readonly<Record<string, string>>>> = {
  "3.1.1": {
    "MQTT-3.2.2-6": "Needs a failure for which no CONNACK code exists; no client can provoke one on purpose.",
    "MQTT-4.8.0-2": "Needs a transient error inside the implementation, such as a full buffer, at a chosen moment.",
    "MQTT-7.0.0-1": "About servers that connect to other servers; each of the two roles has its own statements.",
    "MQTT-7.0.0-2": "About what an implementation does not rely on; holds where the others hold without extensions.",
  },
  "5.0": {},
};

/** What is wrong between statements and cases; empty when every statement has a case or a reason. */
export function coverageProblems(
  version: MqttVersion,
  statements: readonly Statement[],
  cases: readonly { readonly id: string; readonly version?: MqttVersion; readonly statements: readonly string[] }[],
): string[] {
  const known = new Set(statements.map(({ id }) => id));
  const ofVersion = cases.filter((testCase) => testCase.version === version);
  const covered = new Set(ofVersion.flatMap((testCase) => testCase.statements));
  const reasons = UNOBSERVABLE[version];
  return [
    ...ofVersion.flatMap(({ id, statements: named }) =>
      named
        .filter((statement) => !known.has(statement))
        .map((statement) => `${id} names ${statement}, which does not exist`),
    ),
    ...statements
      .filter(({ id }) => !covered.has(id) && reasons[id] === undefined)
      .map(({ id }) => `${version} ${id} has no case`),
    ...Object.keys(reasons)
      .filter((id) => covered.has(id) || !known.has(id))
      .map((id) => `${version} ${id} is listed as unobservable, but has a case or does not exist`),
  ];
}
