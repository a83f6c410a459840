import { ReasonCode, ReturnCode } from "@tidewire/codec";

/**
 * The CONNACK return code of MQTT 3.x for an MQTT 5 reason code; undefined when none applies, and then the connection
 * closes without CONNACK [MQTT-3.2.2-6 of 3.1.1].
 */
export function returnCodeFor(reasonCode: number): number | undefined {
  return returnCodes.get(reasonCode);
}

/** The MQTT 5 reason code for a 3.x CONNACK return code, so that callers know one set of codes. */
export function reasonCodeFor(returnCode: number): number {
  return reasonCodes[returnCode] ?? ReasonCode.UnspecifiedError;
}

const returnCodes: ReadonlyMap<number, number> = /* @__PURE__ */ new Map<number, number>([
  [ReasonCode.Success, ReturnCode.Accepted],
  [ReasonCode.UnsupportedProtocolVersion, ReturnCode.UnacceptableProtocolVersion],
  [ReasonCode.ClientIdentifierNotValid, ReturnCode.IdentifierRejected],
  [ReasonCode.ServerUnavailable, ReturnCode.ServerUnavailable],
  [ReasonCode.ServerBusy, ReturnCode.ServerUnavailable],
  [ReasonCode.QuotaExceeded, ReturnCode.ServerUnavailable],
  [ReasonCode.ConnectionRateExceeded, ReturnCode.ServerUnavailable],
  [ReasonCode.BadUserNameOrPassword, ReturnCode.BadUserNameOrPassword],
  [ReasonCode.NotAuthorized, ReturnCode.NotAuthorized],
  [ReasonCode.Banned, ReturnCode.NotAuthorized],
  [ReasonCode.BadAuthenticationMethod, ReturnCode.NotAuthorized],
]);

const reasonCodes: readonly number[] = [
  ReasonCode.Success,
  ReasonCode.UnsupportedProtocolVersion,
  ReasonCode.ClientIdentifierNotValid,
  ReasonCode.ServerUnavailable,
  ReasonCode.BadUserNameOrPassword,
  ReasonCode.NotAuthorized,
];
