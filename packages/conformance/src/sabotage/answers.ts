import * as wire from "../wire/index.ts";
import { bytes, concat, property, Type } from "../wire/index.ts";
import type { Hook, Saboteur } from "./proxy.ts";
import { without } from "./rewrite.ts";

const MQTT5 = { version: "5.0" } as const;
const MQTT311 = { version: "3.1.1" } as const;

/** Faults in what the server answers: CONNACK, acknowledgements, SUBACK, DISCONNECT. */
export const answerSaboteurs: readonly Saboteur[] = [
  {
    ...MQTT5,
    id: "session-present-0",
    fault: "says Session Present 0 for every session",
    breaks: "3.2.2-3",
    also: ["3.1.2-23", "3.1.3-7"],
    toClient: connack((packet) => wire.connack("5.0", packet.reasonCode, false, packet.properties)),
  },
  {
    ...MQTT311,
    id: "session-present-1",
    fault: "says Session Present 1 also after a clean session",
    breaks: "3.2.2-1",
    also: ["3.2.2-3"],
    toClient: connack((packet) => wire.connack("3.1.1", packet.reasonCode, packet.reasonCode === 0)),
  },
  {
    ...MQTT5,
    id: "connack-flags",
    fault: "sets a reserved bit of the Connect Acknowledge Flags",
    breaks: "3.2.2-1",
    toClient: connack(({ bytes: original }) => original.map((byte, index) => (index === 2 ? byte | 0x02 : byte))),
  },
  {
    ...MQTT5,
    id: "connack-twice",
    fault: "sends CONNACK again with the second PINGRESP",
    breaks: "3.2.0-2",
    toClient: (packet, line) => {
      if (packet.type !== Type.PINGRESP) {
        return undefined;
      }
      const pings = Number(line.memory.get("pings") ?? 0) + 1;
      line.memory.set("pings", pings);
      return pings === 2 ? [wire.connack("5.0"), packet.bytes] : undefined;
    },
  },
  {
    ...MQTT5,
    id: "assigned-id-missing",
    fault: "does not tell the client identifier that it assigned",
    breaks: "3.2.2-16",
    also: ["3.1.3-7"],
    toClient: connack((packet) =>
      wire.connack(
        "5.0",
        packet.reasonCode,
        packet.sessionPresent,
        without(packet.properties, "assignedClientIdentifier"),
      ),
    ),
  },
  {
    ...MQTT5,
    id: "response-information-unasked",
    fault: "sends Response Information to everybody",
    breaks: "3.1.2-28",
    toClient: connack((packet) =>
      packet.reasonCode === 0 && packet.bytes.length < 30
        ? wire.connack("5.0", 0, packet.sessionPresent, [...packet.properties, ["responseInformation", "r"]])
        : packet.bytes,
    ),
  },
  {
    ...MQTT311,
    id: "level-code",
    fault: "answers an unknown protocol level with CONNACK 2",
    breaks: "3.1.2-2",
    toClient: connack((packet) =>
      wire.connack("3.1.1", packet.reasonCode === 1 ? 2 : packet.reasonCode, packet.sessionPresent),
    ),
  },
  {
    ...MQTT311,
    id: "client-id-code",
    fault: "answers a refused client identifier with CONNACK 5",
    breaks: "3.1.3-9",
    toClient: connack((packet) =>
      wire.connack("3.1.1", packet.reasonCode === 2 ? 5 : packet.reasonCode, packet.sessionPresent),
    ),
  },
  {
    ...MQTT5,
    id: "acknowledged-12-bits",
    fault: "keeps 12 bits of a packet identifier in its acknowledgements",
    breaks: "2.2.1-5",
    toClient: (packet) =>
      packet.type === Type.PUBACK || packet.type === Type.PUBREC
        ? [wire.ack(packet.type, packet.packetId & 0x0fff, packet.reasonCode)]
        : undefined,
  },
  {
    ...MQTT5,
    id: "suback-12-bits",
    fault: "keeps 12 bits of the packet identifier in SUBACK",
    breaks: "3.8.4-2",
    toClient: (packet) =>
      packet.type === Type.SUBACK ? [wire.suback("5.0", packet.packetId & 0x0fff, packet.reasonCodes)] : undefined,
  },
  {
    ...MQTT311,
    id: "unsuback-12-bits",
    fault: "keeps 12 bits of the packet identifier in UNSUBACK",
    breaks: "3.10.4-4",
    toClient: (packet) =>
      packet.type === Type.UNSUBACK ? [wire.unsuback("3.1.1", packet.packetId & 0x0fff, [])] : undefined,
  },
  {
    ...MQTT5,
    id: "suback-order",
    fault: "lists the codes of SUBACK in reverse",
    breaks: "3.9.3-1",
    toClient: (packet) =>
      packet.type === Type.SUBACK
        ? [wire.suback("5.0", packet.packetId, [...packet.reasonCodes].reverse())]
        : undefined,
  },
  {
    ...MQTT311,
    id: "suback-one-code",
    fault: "sends one code however many filters there were",
    breaks: "3.8.4-5",
    also: ["3.8.3-2"],
    toClient: (packet) =>
      packet.type === Type.SUBACK ? [wire.suback("3.1.1", packet.packetId, packet.reasonCodes.slice(0, 1))] : undefined,
  },
  {
    ...MQTT5,
    id: "suback-per-filter",
    fault: "sends a second SUBACK when there were several filters",
    breaks: "3.8.4-5",
    toClient: (packet) =>
      packet.type === Type.SUBACK && packet.reasonCodes.length > 1 ? [packet.bytes, packet.bytes] : undefined,
  },
  {
    ...MQTT5,
    id: "unsuback-order",
    fault: "lists the codes of UNSUBACK in reverse",
    breaks: "3.11.3-1",
    toClient: (packet) =>
      packet.type === Type.UNSUBACK
        ? [wire.unsuback("5.0", packet.packetId, [...packet.reasonCodes].reverse())]
        : undefined,
  },
  {
    ...MQTT5,
    id: "unsuback-nothing-to-do",
    fault: "does not answer an UNSUBSCRIBE that removes nothing",
    breaks: "3.10.4-5",
    also: ["3.11.2-1", "3.1.2-29", "3.3.4-10"],
    toClient: (packet) =>
      packet.type === Type.UNSUBACK && packet.reasonCodes.length === 1 && packet.reasonCodes[0] === 0x11
        ? []
        : undefined,
  },
  {
    ...MQTT5,
    id: "pubcomp-unknown",
    fault: "does not answer a PUBREL whose identifier it does not know",
    breaks: "4.3.3-11",
    also: ["3.7.2-2"],
    toClient: (packet) => (packet.type === Type.PUBCOMP && packet.reasonCode === 0x92 ? [] : undefined),
  },
  {
    ...MQTT5,
    id: "pubrel-flags",
    fault: "sends PUBREL with the flags 0000",
    breaks: "3.6.1-1",
    also: ["2.1.3-1"],
    toClient: (packet) => (packet.type === Type.PUBREL ? [concat(bytes(0x60), packet.bytes.subarray(1))] : undefined),
  },
  {
    ...MQTT5,
    id: "length-padded",
    fault: "writes the Remaining Length of PINGRESP in two bytes",
    breaks: "1.5.5-1",
    toClient: (packet) => (packet.type === Type.PINGRESP ? [bytes(0xd0, 0x80, 0x00)] : undefined),
  },
  {
    ...MQTT5,
    id: "problem-information",
    fault: "explains itself in PUBACK although it was asked not to",
    breaks: "3.1.2-29",
    toClient: (packet, line) =>
      packet.type === Type.PUBACK &&
      line.connect !== undefined &&
      property(line.connect, "requestProblemInformation") === 0
        ? [wire.ack(Type.PUBACK, packet.packetId, packet.reasonCode, [["reasonString", "fine"]])]
        : undefined,
  },
  {
    ...MQTT5,
    id: "large-puback",
    fault: "explains itself in PUBACK beyond the client's Maximum Packet Size",
    breaks: "3.4.2-2",
    toClient: (packet, line) =>
      packet.type === Type.PUBACK &&
      line.connect !== undefined &&
      property(line.connect, "maximumPacketSize") !== undefined
        ? [wire.ack(Type.PUBACK, packet.packetId, packet.reasonCode, [["reasonString", "so ".repeat(50)]])]
        : undefined,
  },
  {
    ...MQTT5,
    id: "takeover-reason",
    fault: "gives no reason to a connection that is taken over",
    breaks: "3.1.4-3",
    toClient: disconnects((packet) => (packet.reasonCode === 0x8e ? [wire.disconnect(0x80)] : undefined)),
  },
  {
    ...MQTT5,
    id: "disconnect-expiry",
    fault: "puts a Session Expiry Interval into its DISCONNECT",
    breaks: "3.14.2-2",
    toClient: disconnects((packet) => [wire.disconnect(packet.reasonCode, [["sessionExpiryInterval", 0]])]),
  },
  {
    ...MQTT5,
    id: "packet-after-disconnect",
    fault: "sends a packet after its DISCONNECT",
    breaks: "3.14.4-1",
    toClient: disconnects((packet) => [packet.bytes, wire.pingresp()]),
  },
  {
    ...MQTT5,
    id: "disconnect-before-connack",
    fault: "sends DISCONNECT instead of a refusing CONNACK",
    breaks: "3.14.0-1",
    also: ["4.12.0-1", "4.12.0-4", "3.1.4-2", "3.2.2-12", "3.2.2-13", "3.1.4-1"],
    toClient: (packet) =>
      packet.type === Type.CONNACK && packet.reasonCode >= 0x80 ? [wire.disconnect(packet.reasonCode)] : undefined,
  },
  {
    ...MQTT5,
    id: "authentication-method-missing",
    fault: "leaves the Authentication Method out of CONNACK",
    breaks: "4.12.0-5",
    toClient: connack((packet) =>
      wire.connack("5.0", packet.reasonCode, packet.sessionPresent, without(packet.properties, "authenticationMethod")),
    ),
  },
];

function connack(change: (packet: Parameters<Hook>[0]) => Uint8Array): Hook {
  return (packet) => (packet.type === Type.CONNACK ? [change(packet)] : undefined);
}

function disconnects(change: Hook): Hook {
  return (packet, line) => (packet.type === Type.DISCONNECT ? change(packet, line) : undefined);
}
