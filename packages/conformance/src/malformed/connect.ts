import type { MqttVersion } from "../case.ts";
import * as wire from "../wire/index.ts";
import { bytes, concat, field, uint16 } from "../wire/index.ts";
import { type MalformedPacket, only } from "./types.ts";

/** CONNECT packets whose flags and payload contradict each other (3.1). */
export const MALFORMED_CONNECTS: readonly MalformedPacket[] = [
  connect("reserved-flag", "the reserved connect flag set", ["3.1.2-3"], ["3.1.2-3"], (version, clientId) =>
    raw(version, 0x03, field(clientId)),
  ),
  connect(
    "will-qos-without-will",
    "Will QoS but no will",
    ["3.1.2-11", "3.1.2-13"],
    ["3.1.2-11"],
    (version, clientId) => raw(version, 0x0a, field(clientId)),
  ),
  connect(
    "will-retain-without-will",
    "Will Retain but no will",
    ["3.1.2-11", "3.1.2-15"],
    ["3.1.2-13"],
    (version, clientId) => raw(version, 0x22, field(clientId)),
  ),
  connect("will-qos-3", "Will QoS 3", ["3.1.2-14"], ["3.1.2-12"], (version, clientId) =>
    wire.connect(version, { clientId, will: { topic: "will", qos: 3 } }),
  ),
  connect("will-missing", "the Will Flag but no will fields", ["3.1.2-9"], ["3.1.2-9"], (version, clientId) =>
    raw(version, 0x06, field(clientId)),
  ),
  connect(
    "will-unannounced",
    "will fields but no Will Flag",
    ["3.1.2-11", "3.1.3-1"],
    ["3.1.3-1"],
    (version, clientId) => raw(version, 0x02, field(clientId), willFields(version)),
  ),
  connect("user-name-missing", "the User Name Flag but no user name", ["3.1.2-19"], ["3.1.2-17"], (version, clientId) =>
    raw(version, 0x82, field(clientId)),
  ),
  connect(
    "user-name-unannounced",
    "a user name but no User Name Flag",
    ["3.1.2-18"],
    ["3.1.2-16"],
    (version, clientId) => raw(version, 0x02, field(clientId), field("user")),
  ),
  connect("password-missing", "the Password Flag but no password", ["3.1.2-21"], ["3.1.2-19"], (version, clientId) =>
    raw(version, 0xc2, field(clientId), field("user")),
  ),
  connect("password-unannounced", "a password but no Password Flag", ["3.1.2-20"], ["3.1.2-18"], (version, clientId) =>
    raw(version, 0x82, field(clientId), field("user"), field("password")),
  ),
  connect(
    "password-without-user-name",
    "the Password Flag without the User Name Flag",
    ["3.1.2-22"],
    undefined,
    (version, clientId) => raw(version, 0x42, field(clientId), field("password")),
  ),
  connect("client-id-missing", "no client identifier field", ["3.1.3-3"], ["3.1.3-3"], (version) => raw(version, 0x02)),
  connect("truncated", "no keep alive field", [], [], () => wire.packet(0x10, field("MQTT"), bytes(4, 2))),
];

function connect(
  id: string,
  fault: string,
  v3: readonly string[],
  v5: readonly string[] | undefined,
  build: (version: MqttVersion, clientId: string) => Uint8Array,
): MalformedPacket {
  return {
    id: `connect-${id}`,
    fault: `CONNECT with ${fault}`,
    v3: [...v3, "3.1.4-1"],
    ...(v5 === undefined ? {} : { v5: [...v5, "3.1.4-1"] }),
    isFirst: true,
    variants: (version, { clientId }) => only(build(version, clientId)),
  };
}

function raw(version: MqttVersion, flags: number, ...payload: readonly Uint8Array[]): Uint8Array {
  const five = version === "5.0";
  return wire.packet(0x10, field("MQTT"), bytes(five ? 5 : 4, flags), uint16(0), five ? bytes(0) : bytes(), ...payload);
}

function willFields(version: MqttVersion): Uint8Array {
  return concat(version === "5.0" ? bytes(0) : bytes(), field("will"), field("payload"));
}
