import { connectCases } from "./connect.ts";
import type { BrokerCase } from "./define.ts";
import { malformedCases } from "./malformed.ts";
import { sessionCases } from "./session.ts";

/** Every broker case, by subject. */
export const brokerCases: readonly BrokerCase[] = [...connectCases, ...sessionCases, ...malformedCases];
