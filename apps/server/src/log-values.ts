/** Longest value in a log line; what clients send is hardly ever longer on purpose. */
export const LOG_VALUE_LENGTH = 256;

/** Longest message: whole sentences, with paths in them. */
export const LOG_MESSAGE_LENGTH = 1024;

/** `text`, or its beginning and how much is missing. */
export function cut(text: string, length: number = LOG_VALUE_LENGTH): string {
  return text.length <= length ? text : `${text.slice(0, length)}... (${text.length} characters)`;
}

/** The fields of a log line with no value of unbounded length or depth. */
export function boundedFields(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const bounded: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(fields).slice(0, MOST_ENTRIES)) {
    bounded[cut(name)] = name === "err" && value instanceof Error ? errorFields(value) : boundedValue(value, DEEPEST);
  }
  return bounded;
}

/** An error with its code, its cause and the place where it was made. */
export function errorFields(error: Error): Record<string, unknown> {
  const fields: Record<string, unknown> = { type: error.name, message: cut(error.message, LOG_MESSAGE_LENGTH) };
  if ("code" in error) {
    fields.code = boundedValue(error.code, 1);
  }
  if (error.cause instanceof Error) {
    fields.cause = cut(`${error.cause.name}: ${error.cause.message}`);
  }
  const frames = error.stack?.split("\n").filter((line) => /^\s+at /.test(line)) ?? [];
  fields.stack = frames.slice(0, MOST_FRAMES).map((frame) => cut(frame.trim()));
  return fields;
}

const DEEPEST = 2;
const MOST_ENTRIES = 20;
const MOST_FRAMES = 12;

function boundedValue(value: unknown, depth: number): unknown {
  if (typeof value === "string") {
    return cut(value);
  }
  if (typeof value === "bigint" || typeof value === "symbol" || typeof value === "function") {
    return cut(String(value));
  }
  if (value === null || typeof value !== "object") {
    return value;
  }
  if (value instanceof Error) {
    return errorFields(value);
  }
  if (ArrayBuffer.isView(value)) {
    return `${value.byteLength} bytes`;
  }
  if (depth === 0) {
    return "...";
  }
  if (Array.isArray(value)) {
    return value.slice(0, MOST_ENTRIES).map((entry) => boundedValue(entry, depth - 1));
  }
  return Object.fromEntries(
    Object.entries(value)
      .slice(0, MOST_ENTRIES)
      .map(([name, entry]) => [cut(name), boundedValue(entry, depth - 1)]),
  );
}
