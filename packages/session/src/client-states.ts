import {
  AUTH,
  CONNACK,
  DISCONNECT,
  PINGRESP,
  PUBACK,
  PUBCOMP,
  PUBLISH,
  PUBREC,
  PUBREL,
  SUBACK,
  UNSUBACK,
} from "@tidewire/codec/codes";

import type { Transitions, TransitionTable } from "./transitions.ts";

export type ClientRequest = "open";

const awaitingConnack: Transitions<ClientState, ClientRequest> = {
  [CONNACK]: "connected",
  [AUTH]: "authenticating",
  end: "closed",
};

export const clientStates: TransitionTable<ClientState, ClientRequest> = {
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

export type ClientState = "idle" | "connecting" | "authenticating" | "connected" | "closed";
