import { type BrokerLimits, DEFAULT_LIMITS } from "@tidewire/broker";
import { UsageError } from "./errors.ts";
import { type OptionSpecs, type ParsedOptions, wholeNumber } from "./options.ts";

/** The limits that those who run a broker change: option, unit, the broker's name, meaning, the least and the most. */
const LIMITS = [
  ["max-connections", "N", "connections", "clients at a time", 1, 10_000_000],
  ["max-connections-per-address", "N", "connectionsPerAddress", "of these, from one network address", 1, 10_000_000],
  // Hardly a CONNECT fits in less, and MQTT has no length for more.
  ["max-packet-size", "BYTES", "maximumPacketSize", "longest packet taken from a client", 256, 268_435_460],
  ["max-inflight", "N", "inflight", "unanswered QoS 1 and 2 messages to one client", 1, 65_535],
  ["max-queue", "N", "queueCount", "messages waiting for one client", 1, 1_000_000_000],
  ["max-queue-bytes", "BYTES", "queueBytes", "their payloads together", 1, 1_000_000_000_000],
  ["max-session-expiry", "SECONDS", "sessionExpirySeconds", "longest wait for a client to return", 0, 4_294_967_295],
] as const;

/** How they are given on the command line. */
export const LIMIT_OPTIONS: OptionSpecs = Object.fromEntries(LIMITS.map(([option]) => [option, { type: "string" }]));

/** Their lines in `--help`. */
export const LIMIT_HELP: string = LIMITS.map(([option, unit, limit, text]) => {
  return `  ${`--${option} ${unit}`.padEnd(34)}${text} (${DEFAULT_LIMITS[limit]})`;
}).join("\n");

/** Reads them; what was not given is left out. */
export function limitOptions(parsed: ParsedOptions): Partial<BrokerLimits> {
  const given = LIMITS.flatMap(([option, , limit, , minimum, maximum]) => {
    const value = wholeNumber(parsed, option, minimum, maximum);
    return value === undefined ? [] : [[limit, value]];
  });
  const limits: Partial<BrokerLimits> = Object.fromEntries(given);
  const { maximumPacketSize, queueBytes } = { ...DEFAULT_LIMITS, ...limits };
  if (maximumPacketSize > queueBytes) {
    throw new UsageError(
      `a packet of --max-packet-size ${maximumPacketSize} could never wait in --max-queue-bytes ${queueBytes}`,
      "raise the latter",
    );
  }
  return limits;
}
