import type { PacketType } from "@tidewire/codec";

/**
 * The states of one end as data: state x input -> state. Inputs are packets, by their type, and requests; `end` is every
 * end, asked for or not. What is not in a row is an error, the peer's when it is a packet and the caller's when it is a
 * request. The diagrams in docs/ are drawn from these tables.
 */
export type TransitionTable<State extends string, Request extends string> = Readonly<
  Record<State, Transitions<State, Request>>
>;

/** One row: where each input leads. */
export type Transitions<State extends string, Request extends string> = Readonly<
  Partial<Record<PacketType | Request | "end", State>>
>;
