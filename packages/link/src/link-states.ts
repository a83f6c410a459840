/**
 * The life of a link as data, state x event -> state; an event that is not in a row changes nothing.
 *
 * - `open`: reads and sends.
 * - `finishing`: `close` was asked for. What is written still leaves, behind the barrier, and then the connection closes.
 * - `stopped`: `close` or `abort` was called on the connection. Nothing more is read or sent.
 * - `draining`: the connection closed by itself. What it brought is still read; what is sent goes nowhere.
 * - `over`: all of it is read, and everybody has been told.
 *
 * That the protocol has ended is not a state of the link: its last bytes leave as those of a link that finishes.
 */
export const linkStates: Readonly<Record<LinkState, Readonly<Partial<Record<LinkEvent, LinkState>>>>> = {
  open: { close: "finishing", stop: "stopped", closed: "draining" },
  finishing: { stop: "stopped", closed: "draining" },
  stopped: { closed: "draining" },
  draining: { drained: "over" },
  over: {},
};

export type LinkState = "open" | "finishing" | "stopped" | "draining" | "over";

export type LinkEvent =
  /** This side asks for an end in order. */
  | "close"
  /** The connection was told to close, or to abort. */
  | "stop"
  /** The connection is gone. */
  | "closed"
  /** All that it brought is read. */
  | "drained";
