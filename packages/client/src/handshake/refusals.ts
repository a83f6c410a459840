import type { ClientError } from "../errors/index.ts";

/**
 * Refusals that trying again does not cure, by MQTT 5 reason code. Not among them: what passes (busy, shutting down,
 * quota, rate, keep-alive) and the redirects, which are followed.
 */
const fatalCodes: readonly number[] = [
  0x81, // Malformed Packet
  0x82, // Protocol Error
  0x84, // Unsupported Protocol Version
  0x85, // Client Identifier not valid
  0x86, // Bad User Name or Password
  0x87, // Not authorized
  0x8a, // Banned
  0x8c, // Bad authentication method
  0x90, // Topic Name invalid: the will's
  0x95, // Packet too large: CONNECT itself
  0x98, // Administrative action
  0x99, // Payload format invalid: the will's
  0x9a, // Retain not supported: the will's
  0x9b, // QoS not supported: the will's
];

/**
 * Whether the client should give up. Only what the server itself said counts. Taken over: coming back would take it over
 * in turn, for ever.
 */
export function isFatal(error: ClientError): boolean {
  const { code, reasonCode = 0, httpStatus = 0 } = error;
  return (
    code === "taken-over" || (code === "refused" && (fatalCodes.includes(reasonCode) || /40[34]/.test(`${httpStatus}`)))
  );
}
