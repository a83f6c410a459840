/**
 * The states of one end as data: state x input -> state. Inputs are packets, by their type, and requests; `end` is every
 * end, asked for or not. What is not in a row is an error, the peer's when it is a packet and the caller's when it is a
 * request. The diagrams in docs/ are drawn from these tables.
 */
export type TransitionTable<State extends string, Input extends string | number> = Readonly<
  Record<State, Transitions<State, Input>>
>;

/** One row: where each input leads. */
export type Transitions<State extends string, Input extends string | number> = Readonly<Partial<Record<Input, State>>>;
