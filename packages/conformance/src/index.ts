export type {
  Capability,
  CaseResult,
  ConformanceCase,
  ConformanceTarget,
  ExpectedFailures,
  MqttVersion,
  Outcome,
} from "./case.ts";
export { isBad } from "./case.ts";
export type { ExecuteAllOptions, ExecuteOptions } from "./execute.ts";
export { executeCase, executeCases } from "./execute.ts";
export { ConformanceError, type ConformanceErrorCode, ConformanceFailure, check, checkEqual } from "./failure.ts";
export type { RunOptions, TestApi } from "./runner.ts";
export { runConformance } from "./runner.ts";
export type { Statement } from "./statements.ts";
export { coverageProblems, UNOBSERVABLE } from "./statements.ts";
