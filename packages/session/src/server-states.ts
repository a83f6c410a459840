import {
  AUTH,
  CONNECT,
  DISCONNECT,
  PINGREQ,
  PUBACK,
  PUBCOMP,
  PUBLISH,
  PUBREC,
  PUBREL,
  SUBSCRIBE,
  UNSUBSCRIBE,
} from "@tidewire/codec/codes";

import type { TransitionTable } from "./transitions.ts";

export type ServerRequest = "accept" | "reject" | "authContinue" | "disconnect";

export const serverStates: TransitionTable<ServerState, ServerRequest> = {
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

export type ServerState = "awaiting-connect" | "awaiting-accept" | "authenticating" | "connected" | "closed";
