/** What a conformance case is. Nothing here knows a test runner, a socket or an implementation. */

/** The specification a case belongs to; statement numbers mean different things in the two. */
export type MqttVersion = "3.1.1" | "5.0";

/**
 * Something a target may lack, such as `websocket` or `access-control`. A case that needs what the target does not
 * list is skipped, and reported as skipped.
 */
export type Capability = string;

/** One observable requirement as data: which statements it proves, and how. */
export interface ConformanceCase<Harness> {
  /** Unique and stable, such as `5.0/connect/second-connect`. */
  readonly id: string;
  /** What a correct implementation does, as a sentence without a subject. */
  readonly title: string;
  /** Numbers as printed in the specification of `version`, such as `MQTT-3.1.0-2`; empty for an unnumbered rule. */
  readonly statements: readonly string[];
  /** Absent when the case is not tied to a version of MQTT (a transport or store rule). */
  readonly version?: MqttVersion;
  readonly needs?: readonly Capability[];
  /** Overrides the run's time limit for a case that has to wait for the clock. */
  readonly timeoutMs?: number;
  run(harness: Harness): Promise<void> | void;
}

/** The implementation under test. */
export interface ConformanceTarget<Harness> {
  readonly name: string;
  readonly capabilities: readonly Capability[];
  /** Called before every case, so that no case sees what another one left behind. */
  setup(): Promise<Harness> | Harness;
  /** Called after every case, whatever its outcome. */
  teardown?(harness: Harness): Promise<void> | void;
}

/** A case known to fail, with the reason; when it passes unexpectedly, that is a failure too. */
export type ExpectedFailures = Readonly<Record<string, string>>;

export type Outcome = "passed" | "failed" | "skipped" | "expected-failure" | "unexpected-pass";

export interface CaseResult {
  readonly id: string;
  readonly title: string;
  readonly statements: readonly string[];
  readonly version: MqttVersion | undefined;
  readonly outcome: Outcome;
  readonly durationMs: number;
  /** The missing capability, or the reason of an expected failure. */
  readonly reason?: string;
  readonly error?: Error;
}

/** Whether the outcome makes a run fail. */
export function isBad(outcome: Outcome): boolean {
  return outcome === "failed" || outcome === "unexpected-pass";
}
