/** The time of day of milliseconds since 1970, with seconds, in the reader's way. */
export function formatTime(ms: number): string {
  return timeFormat.format(ms);
}

const timeFormat = new Intl.DateTimeFormat(undefined, { timeStyle: "medium" });
