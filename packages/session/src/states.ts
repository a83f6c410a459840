import type { PacketType } from "@tidewire/codec";
import {
  AUTH,
  CONNACK,
  CONNECT,
  DISCONNECT,
  PINGREQ,
  PINGRESP,
  PUBACK,
  PUBCOMP,
  PUBLISH,
  PUBREC,
  PUBREL,
  SUBACK,
  SUBSCRIBE,
  UNSUBACK,
  UNSUBSCRIBE,
} from "./codes.ts";
import type { ClientState, ServerState } from "./interfaces.ts";

/**
 * The states of both ends as data: state x input -> state. Inputs are packets, by their type, and requests; `end` is
 * every end, asked for or not. What is not in a row is an error, the peer's when it is a packet and the caller's when it
 * is a request. The diagrams in docs/ are drawn from these tables.
 */
export type TransitionTable<State extends string, Input extends string | number> = Readonly<
  Record<State, Transitions<State, Input>>
>;
export type Transitions<State extends string, Input extends string | number> = Readonly<Partial<Record<Input, State>>>;

export type ClientInput = PacketType | "open" | "end";

const awaitingConnack: Transitions<ClientState, ClientInput> = {
  [CONNACK]: "connected",
  [AUTH]: "authenticating",
  end: "closed",
};

export const clientStates: TransitionTable<ClientState, ClientInput> = {
  idle: { open: "connecting", end: "closed" },
  connecting: awaitingConnack,
  authenticating: awaitingConnack,
  connected: {
    [PUBLISH]: "connected",
    [PUBACK]: "connected",
    [PUBREC]: "connected",
    [PUBREL]: "connected",
    [PUBCOMP]: "connected",
    [SUBACK]: "connected",
    [UNSUBACK]: "connected",
    [PINGRESP]: "connected",
    [AUTH]: "connected",
    [DISCONNECT]: "closed",
    end: "closed",
  },
  closed: {},
};

export type ServerRequest = "accept" | "reject" | "authContinue" | "disconnect";
export type ServerInput = PacketType | ServerRequest | "end";

export const serverStates: TransitionTable<ServerState, ServerInput> = {
  "awaiting-connect": { [CONNECT]: "awaiting-accept", end: "closed" },
  "awaiting-accept": { accept: "connected", reject: "closed", authContinue: "authenticating", end: "closed" },
  authenticating: { [AUTH]: "awaiting-accept", [DISCONNECT]: "closed", reject: "closed", end: "closed" },
  connected: {
    [PUBLISH]: "connected",
    [PUBACK]: "connected",
    [PUBREC]: "connected",
    [PUBREL]: "connected",
    [PUBCOMP]: "connected",
    [SUBSCRIBE]: "connected",
    [UNSUBSCRIBE]: "connected",
    [PINGREQ]: "connected",
    [AUTH]: "connected",
    [DISCONNECT]: "closed",
    reject: "closed",
    disconnect: "closed",
    end: "closed",
  },
  closed: {},
};
