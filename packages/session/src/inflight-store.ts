import type { Message } from "./message.ts";

export interface InflightStore<M extends Message = Message> {
  /** `sequence` rises with each call: the order messages were first sent in. */
  readonly putOutgoing: (packetId: number, sequence: number, message: M) => void;
  /** PUBREC came: the message may be dropped, the PUBREL is owed until PUBCOMP. */
  readonly releaseOutgoing: (packetId: number) => void;
  readonly deleteOutgoing: (packetId: number) => void;
  /** A QoS 2 message with this id was taken; its id must be remembered until PUBREL. */
  readonly putIncoming: (packetId: number) => void;
  readonly deleteIncoming: (packetId: number) => void;
  readonly clear: () => void;
  readonly commit: () => Promise<void> | undefined;
}

/** What a store gives back after a restart. */
export interface SavedInflight<M extends Message = Message> {
  /** In ascending `sequence`; `message` undefined means: PUBREC came, PUBREL is owed. */
  readonly outgoing: readonly {
    readonly packetId: number;
    readonly sequence: number;
    readonly message: M | undefined;
  }[];
  readonly incoming: readonly number[];
}

export interface Inflight<M extends Message = Message> {
  readonly outgoingCount: number;
  readonly incomingCount: number;
  /** Outgoing messages that the peer has not received as far as is known (no PUBACK, no PUBREC), oldest first. */
  unreceived(): readonly { readonly packetId: number; readonly message: M }[];
  /** Takes back one of `unreceived` while no connection has it: it is not sent again, and its identifier is free. */
  withdraw(packetId: number, message: M): void;
  /** Everything forgotten, here and in the store. Returns the outgoing messages that were not yet received (no PUBREC). */
  clear(): readonly { readonly packetId: number; readonly message: M }[];
}
