import type { Capability, ConformanceCase, MqttVersion } from "../case.ts";
import { ConformanceFailure } from "../failure.ts";
import { type BrokerHarness, Lab } from "./lab.ts";

export type BrokerCase = ConformanceCase<BrokerHarness> & { readonly version: MqttVersion };

export interface Rule {
  /** Subject and name, such as `connect/second-connect`. */
  readonly id: string;
  readonly title: string;
  /** Statement numbers of MQTT 3.1.1, without `MQTT-`; absent: the rule does not exist there. */
  readonly v3?: readonly string[];
  /** Statement numbers of MQTT 5.0; empty: an unnumbered rule. */
  readonly v5?: readonly string[];
  readonly needs?: readonly Capability[];
  readonly timeoutMs?: number;
  run(lab: Lab): Promise<void>;
}

/** Makes the cases of a rule: one for each version that has it. */
export function rule(definition: Rule): BrokerCase[] {
  const cases: BrokerCase[] = [];
  if (definition.v3 !== undefined) {
    cases.push(brokerCase(definition, "3.1.1", definition.v3));
  }
  if (definition.v5 !== undefined) {
    cases.push(brokerCase(definition, "5.0", definition.v5));
  }
  return cases;
}

function brokerCase(definition: Rule, version: MqttVersion, statements: readonly string[]): BrokerCase {
  const { id, title, needs, timeoutMs, run } = definition;
  return {
    id: `${version}/${id}`,
    title,
    version,
    statements: statements.map((number) => `MQTT-${number}`),
    ...(needs === undefined ? {} : { needs }),
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
    run: async (harness) => {
      const lab = new Lab(harness, version);
      try {
        await run(lab);
      } catch (error) {
        if (error instanceof ConformanceFailure) {
          error.transcript = lab.transcript.toString();
        }
        throw error;
      } finally {
        await lab.close();
      }
    },
  };
}
