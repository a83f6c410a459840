import { PacketType } from "@tidewire/codec";
import type { ClientState, ServerState } from "./interfaces.ts";

/**
 * The states of both ends as data: state x input -> state. Packets are inputs under their names; what is not in a row
 * is an error, the peer's when it is a packet and the caller's when it is a request. The diagrams in docs/ are drawn
 * from these tables.
 */
export type TransitionTable<State extends string, Input extends string> = Readonly<
  Record<State, Readonly<Partial<Record<Input, State>>>>
>;

/** `fail` is any end that is not asked for: violation, timeout, lost connection, a handler that threw. */
export type ClientInput =
  | "open"
  | "disconnect"
  | "fail"
  | "CONNACK accepts"
  | "CONNACK refuses"
  | "AUTH"
  | "DISCONNECT"
  | "PUBLISH"
  | "PUBACK"
  | "PUBREC"
  | "PUBREL"
  | "PUBCOMP"
  | "SUBACK"
  | "UNSUBACK"
  | "PINGRESP";

export const clientStates: TransitionTable<ClientState, ClientInput> = {
  idle: { open: "connecting", disconnect: "closed", fail: "closed" },
  connecting: {
    "CONNACK accepts": "connected",
    "CONNACK refuses": "closed",
    AUTH: "authenticating",
    disconnect: "closed",
    fail: "closed",
  },
  authenticating: {
    "CONNACK accepts": "connected",
    "CONNACK refuses": "closed",
    AUTH: "authenticating",
    disconnect: "closed",
    fail: "closed",
  },
  connected: {
    PUBLISH: "connected",
    PUBACK: "connected",
    PUBREC: "connected",
    PUBREL: "connected",
    PUBCOMP: "connected",
    SUBACK: "connected",
    UNSUBACK: "connected",
    PINGRESP: "connected",
    AUTH: "connected",
    DISCONNECT: "closed",
    disconnect: "closed",
    fail: "closed",
  },
  closed: {},
};

export type ServerInput =
  | "accept"
  | "reject"
  | "authContinue"
  | "disconnect"
  | "fail"
  | "CONNECT"
  | "AUTH"
  | "DISCONNECT"
  | "PUBLISH"
  | "PUBACK"
  | "PUBREC"
  | "PUBREL"
  | "PUBCOMP"
  | "SUBSCRIBE"
  | "UNSUBSCRIBE"
  | "PINGREQ";

export const serverStates: TransitionTable<ServerState, ServerInput> = {
  "awaiting-connect": { CONNECT: "awaiting-accept", fail: "closed" },
  "awaiting-accept": { accept: "connected", reject: "closed", authContinue: "authenticating", fail: "closed" },
  authenticating: { AUTH: "awaiting-accept", DISCONNECT: "closed", reject: "closed", fail: "closed" },
  connected: {
    PUBLISH: "connected",
    PUBACK: "connected",
    PUBREC: "connected",
    PUBREL: "connected",
    PUBCOMP: "connected",
    SUBSCRIBE: "connected",
    UNSUBSCRIBE: "connected",
    PINGREQ: "connected",
    AUTH: "connected",
    DISCONNECT: "closed",
    reject: "closed",
    disconnect: "closed",
    fail: "closed",
  },
  closed: {},
};

/** Per state, whether a packet type is one of its inputs: a row is looked at for every packet. */
export type PacketTable<State extends string> = Readonly<Record<State, readonly boolean[]>>;

export const clientPackets: PacketTable<ClientState> = /* @__PURE__ */ packetTable(clientStates);
export const serverPackets: PacketTable<ServerState> = /* @__PURE__ */ packetTable(serverStates);

function packetTable<State extends string>(table: TransitionTable<State, string>): PacketTable<State> {
  const rows = {} as Record<State, readonly boolean[]>;
  for (const state of Object.keys(table) as State[]) {
    const row = new Array<boolean>(16).fill(false);
    for (const input of Object.keys(table[state])) {
      const type = (PacketType as Readonly<Record<string, number>>)[input.split(" ")[0] as string];
      if (type !== undefined) row[type] = true;
    }
    rows[state] = row;
  }
  return rows;
}
