import { limits } from "./limits.ts";
import { shownText } from "./shown-text.ts";

/** An alert as the page keeps it. */
export interface Alert {
  /** Unique; QoS 1 may deliver an alert twice. */
  readonly id: string;
  readonly device: string;
  readonly name: string;
  readonly text: string;
  /** When it was raised, in milliseconds since 1970. */
  readonly at: number;
}

/** Reads a message on `alerts/<device>/<name>`: the agent's JSON, or any text. Undefined on another topic. */
export function parseAlert(topic: string, payload: string, nowMs: number): Alert | undefined {
  const [root, device, ...rest] = topic.split("/");
  if (root !== "alerts" || device === undefined || device === "" || rest.length === 0) {
    return undefined;
  }
  const name = rest.join("/");
  const fields = parseObject(payload);
  const { id, text, at } = fields;
  return {
    id:
      typeof id === "string" && id !== ""
        ? id.slice(0, MAX_ID_LENGTH)
        : `${topic.slice(0, MAX_ID_LENGTH)} ${nowMs} ${payload.slice(0, 50)}`,
    device: shownText(device, limits.shownName),
    name: shownText(name, limits.shownName),
    text: (typeof text === "string" ? text : payload).slice(0, MAX_TEXT_LENGTH),
    at: isTime(at) ? at : nowMs,
  };
}

/** True for what `parseAlert` made, after a way through JSON. */
export function isAlert(value: unknown): value is Alert {
  if (value === null || typeof value !== "object") {
    return false;
  }
  const { id, device, name, text, at } = value as Record<string, unknown>;
  return [id, device, name, text].every((field) => typeof field === "string") && isTime(at);
}

const MAX_ID_LENGTH = 100;
const MAX_TEXT_LENGTH = 300;

/** Milliseconds that a `Date` can hold. */
function isTime(value: unknown): value is number {
  return typeof value === "number" && !Number.isNaN(new Date(value).getTime());
}

/** No agent's alert is longer; a megabyte of JSON for each of a thousand would hold the page up. */
function parseObject(payload: string): Record<string, unknown> {
  if (payload.length > limits.readPayload) {
    return {};
  }
  try {
    const value: unknown = JSON.parse(payload);
    return value !== null && typeof value === "object" ? { ...value } : {};
  } catch {
    return {};
  }
}
