/** What a message on `devices/<id>/commands/<name>` asks for. */
export type Command =
  | { readonly name: "interval"; readonly intervalMs: number }
  | { readonly name: "alert-test"; readonly text: string };

export const MIN_INTERVAL_SECONDS = 0.1;
export const MAX_INTERVAL_SECONDS = 3600;

/** Reads a command; a text says why it is not one. */
export function parseCommand(name: string, payload: string): Command | string {
  if (name === "interval") {
    const seconds = parseIntervalSeconds(payload);
    if (seconds === undefined) {
      return `interval takes a number of seconds from ${MIN_INTERVAL_SECONDS} to ${MAX_INTERVAL_SECONDS}`;
    }
    return { name, intervalMs: seconds * 1000 };
  }
  if (name === "alert-test") {
    return { name, text: payload.slice(0, MAX_TEXT_LENGTH).trim() || "Test alert" };
  }
  return "unknown command; interval and alert-test are known";
}

/** A number of seconds within the limits, or undefined. */
export function parseIntervalSeconds(text: string): number | undefined {
  const seconds = text.trim() === "" ? Number.NaN : Number(text);
  return seconds >= MIN_INTERVAL_SECONDS && seconds <= MAX_INTERVAL_SECONDS ? seconds : undefined;
}

// As much as a notification shows.
const MAX_TEXT_LENGTH = 200;
