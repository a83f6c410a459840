import { type QoS, type ReasonCodeInfo, reasonCodes } from "@tidewire/codec";
import { CONNACK, DISCONNECT, FIRST_FAILURE, NOT_AUTHORIZED, PUBACK, SUBACK } from "@tidewire/codec/codes";
import { BrokerError } from "../errors.ts";
import type { AuthenticateAccepted, AuthenticationAnswer, Refusal } from "./hooks.ts";

/*
 * What an application's answers mean. Types are no protection from JavaScript: every answer is looked at, and only one
 * that says in a documented form that something is allowed allows it. Everything else throws.
 */

/** The client is let in, or refused. */
export type Admission = AuthenticateAccepted | Refusal;

/** This hook does not know the client: the next one decides. */
export const NEXT = "next";

export function isRefusal(admission: Admission): admission is Refusal {
  return "reasonCode" in admission;
}

/** The answer of `authenticate`. */
export function readAdmission(answer: unknown): Admission | typeof NEXT {
  if (answer === true) {
    return {};
  }
  if (answer === false) {
    return REFUSED;
  }
  if (answer === NEXT) {
    return NEXT;
  }
  const fields = fieldsOf("authenticate", answer, ["username", "responseInformation", ...REFUSAL_FIELDS]);
  if (fields.has("reasonCode")) {
    return readRefusal("authenticate", fields, CONNACK);
  }
  const username = text("authenticate", fields, "username");
  const responseInformation = text("authenticate", fields, "responseInformation");
  return {
    ...(username === undefined ? {} : { username }),
    ...(responseInformation === undefined ? {} : { responseInformation }),
  };
}

/** The answer of `authenticateStep`; a client that is connected already is refused by DISCONNECT. */
export function readStep(answer: unknown, reauthentication: boolean): AuthenticationAnswer | typeof NEXT {
  if (answer === NEXT) {
    return NEXT;
  }
  const name = "authenticateStep";
  const fields = fieldsOf(name, answer, ["outcome", "data", "username", ...REFUSAL_FIELDS]);
  const outcome = fields.get("outcome");
  if (outcome === "refuse") {
    return { outcome, ...readRefusal(name, fields, reauthentication ? DISCONNECT : CONNACK) };
  }
  const data = fields.get("data");
  if ((outcome !== "continue" && outcome !== "success") || !(data === undefined || data instanceof Uint8Array)) {
    throw invalid(name, answer);
  }
  const username = text(name, fields, "username");
  return {
    outcome,
    ...(data === undefined ? {} : { data }),
    ...(outcome === "success" && username !== undefined ? { username } : {}),
  };
}

/** The answer of `authorizePublish` as a reason code; 0 allows. */
export function readVerdict(answer: unknown): number {
  return typeof answer === "boolean"
    ? answer
      ? 0
      : NOT_AUTHORIZED
    : readReasonCode("authorizePublish", answer, PUBACK);
}

/** The answer of `authorizeSubscribe`: the highest QoS granted, or a reason code from 0x80. */
export function readGrant(answer: unknown): number {
  if (typeof answer === "boolean") {
    return answer ? 2 : NOT_AUTHORIZED;
  }
  if (typeof answer === "object" && answer !== null && "qos" in answer) {
    const qos = fieldsOf("authorizeSubscribe", answer, ["qos"]).get("qos");
    if (qos !== 0 && qos !== 1 && qos !== 2) {
      throw invalid("authorizeSubscribe", answer);
    }
    return qos satisfies QoS;
  }
  return readReasonCode("authorizeSubscribe", answer, SUBACK);
}

/** The answer of `authorizeDelivery`. */
export function readPermission(answer: unknown): boolean {
  if (typeof answer !== "boolean") {
    throw invalid("authorizeDelivery", answer);
  }
  return answer;
}

const REFUSED: Refusal = { reasonCode: NOT_AUTHORIZED };
const REFUSAL_FIELDS = ["reasonCode", "reasonString", "serverReference"] as const;

function readReasonCode(hook: string, answer: unknown, packetType: number): number {
  return readRefusal(hook, fieldsOf(hook, answer, REFUSAL_FIELDS), packetType).reasonCode;
}

function readRefusal(hook: string, fields: ReadonlyMap<string, unknown>, packetType: number): Refusal {
  const allowed = refusing(packetType);
  const reasonCode = fields.get("reasonCode");
  if (typeof reasonCode !== "number" || !allowed.includes(reasonCode)) {
    const codes = allowed.map((code) => `0x${code.toString(16)}`).join(", ");
    throw new BrokerError(
      "hook-answer-invalid",
      `${hook} refused with the reason code ${String(reasonCode)}, which cannot be sent; use one of ${codes}`,
    );
  }
  const reasonString = text(hook, fields, "reasonString");
  const serverReference = text(hook, fields, "serverReference");
  return {
    reasonCode,
    ...(reasonString === undefined ? {} : { reasonString }),
    ...(serverReference === undefined ? {} : { serverReference }),
  };
}

/** The fields of an answer, each read once; an answer with none of them, or with others, is not one of ours. */
function fieldsOf(hook: string, answer: unknown, known: readonly string[]): ReadonlyMap<string, unknown> {
  if (typeof answer !== "object" || answer === null) {
    throw invalid(hook, answer);
  }
  const unknown = Object.keys(answer).find((key) => !known.includes(key));
  const fields = new Map<string, unknown>();
  for (const name of known) {
    if (name in answer) {
      fields.set(name, (answer as Record<string, unknown>)[name]);
    }
  }
  if (unknown !== undefined || fields.size === 0) {
    throw invalid(hook, answer);
  }
  return fields;
}

function text(hook: string, fields: ReadonlyMap<string, unknown>, name: string): string | undefined {
  const value = fields.get(name);
  if (value !== undefined && typeof value !== "string") {
    throw new BrokerError(
      "hook-answer-invalid",
      `${hook} returned a ${name} that is no string; the client was refused.`,
    );
  }
  return value;
}

function invalid(hook: string, answer: unknown): BrokerError {
  const what = typeof answer === "object" && answer !== null ? `{ ${Object.keys(answer).join(", ")} }` : String(answer);
  const message = `${hook} returned ${what}, which is none of its answers; it counts as a refusal. Answers: ${ANSWERS[hook]}`;
  return new BrokerError("hook-answer-invalid", message);
}

const ANSWERS: Readonly<Record<string, string>> = {
  authenticate: 'true, false, "next", { username }, { responseInformation } or { reasonCode }',
  authenticateStep: '"next", { outcome: "continue" | "success" | "refuse", ... }',
  authorizePublish: "true, false or { reasonCode }",
  authorizeSubscribe: "true, false, { qos } or { reasonCode }",
  authorizeDelivery: "true or false",
};

/** Codes from 0x80 that a server may send in this packet. */
function refusing(packetType: number): readonly number[] {
  const carries = ([code, both, server]: ReasonCodeInfo): boolean =>
    code >= FIRST_FAILURE && ((both | server) & (1 << packetType)) !== 0;
  return reasonCodes.filter(carries).map(([code]) => code);
}
