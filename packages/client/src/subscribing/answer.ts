import { ClientError, hex } from "../errors/index.ts";

/** Waits for what the server says to a filter: a reason code, or why there is none. */
export interface Answer {
  tell(result: Result): void;
}

export type Result = number | ClientError;

export function tell(answers: readonly Answer[], result: Result): void {
  for (const answer of answers) {
    answer.tell(result);
  }
}

/** The error in an answer, if it is one. */
export function refusal(result: Result): ClientError | undefined {
  if (typeof result === "object") {
    return result;
  }
  if (result < 0x80) {
    return undefined;
  }
  const text = `The server refused the topic filter with reason code ${hex(result)}.`;
  return new ClientError("subscribe-refused", text, { reasonCode: result });
}
