import {
  BAD_AUTHENTICATION_METHOD,
  BANNED,
  CONNECTION_RATE_EXCEEDED,
  NOT_AUTHORIZED,
  QUOTA_EXCEEDED,
  SERVER_BUSY,
  SERVER_UNAVAILABLE,
  UNSPECIFIED_ERROR,
} from "./reason-code-numbers.ts";

/** MQTT 5 reason codes by CONNACK return code of MQTT 3.x: what `ReturnCode` lists, in its order. */
const reasonCodes: readonly number[] = [0x00, 0x84, 0x85, 0x88, 0x86, 0x87];

/** The MQTT 5 reason code for a 3.x CONNACK return code, so that callers know one set of codes. */
export function reasonCodeFor(returnCode: number): number {
  return reasonCodes[returnCode] ?? UNSPECIFIED_ERROR;
}

/**
 * The CONNACK return code of MQTT 3.x for an MQTT 5 reason code; undefined when none applies, and then the connection
 * closes without CONNACK [MQTT-3.2.2-6 of 3.1.1].
 */
export function returnCodeFor(reasonCode: number): number | undefined {
  const returnCode = reasonCodes.indexOf(nearest(reasonCode));
  return returnCode < 0 ? undefined : returnCode;
}

/** The reason code of MQTT 3.x that comes closest. */
function nearest(reasonCode: number): number {
  switch (reasonCode) {
    case SERVER_BUSY:
    case QUOTA_EXCEEDED:
    case CONNECTION_RATE_EXCEEDED:
      return SERVER_UNAVAILABLE;
    case BANNED:
    case BAD_AUTHENTICATION_METHOD:
      return NOT_AUTHORIZED;
    default:
      return reasonCode;
  }
}
