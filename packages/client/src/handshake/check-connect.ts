import { type ConnectPacket, createClientPacketWriter } from "@tidewire/codec";
import { ClientError } from "../errors/index.ts";

/** What is valid in a field of CONNECT. */
export type Allowed = { readonly [Field in keyof ConnectPacket]?: string };

/**
 * Throws `invalid-argument` for a CONNECT that no server would take: trying again cannot cure it. The message names the
 * field that is to blame, and says what is `allowed` there.
 */
export function checkConnect(packet: ConnectPacket, allowed: Allowed = {}): void {
  const cause = problemOf(packet);
  if (cause !== undefined) {
    const harmless = { clientId: "c", keepAlive: 0, username: "u", version: packet.version === 4 ? 4 : 5 };
    const fields = Object.keys(packet) as (keyof ConnectPacket)[];
    // To blame is the one with which, were it harmless, all is well; to most `undefined` is.
    const field = fields.find(
      (name) => problemOf({ ...packet, [name]: (harmless as Partial<ConnectPacket>)[name] }) === undefined,
    );
    throw new ClientError(
      "invalid-argument",
      `${field} of CONNECT is not valid: ${(field && allowed[field]) ?? cause}`,
      { cause },
    );
  }
}

/** Why it cannot be sent. */
function problemOf(packet: ConnectPacket): unknown {
  try {
    createClientPacketWriter().write(packet);
    return packet.clientId === "" && packet.version === 4 && !packet.cleanStart ? "MQTT-3.1.3-8" : undefined;
  } catch (error) {
    return error;
  }
}
