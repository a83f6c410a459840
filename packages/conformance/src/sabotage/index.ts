import { answerSaboteurs } from "./answers.ts";
import { messageSaboteurs } from "./messages.ts";
import type { Saboteur } from "./proxy.ts";
import { requestSaboteurs } from "./requests.ts";

export { type Hook, type Line, type Saboteur, sabotage } from "./proxy.ts";

/** Brokers with one rule broken each. */
export const saboteurs: readonly Saboteur[] = [...answerSaboteurs, ...messageSaboteurs, ...requestSaboteurs];
