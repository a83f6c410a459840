/** Every bound of this package, with its reason. */

export interface LinkLimits {
  /** Packets of one connection handled in one turn before others get theirs. */
  readonly packetsPerTurn: number;
  /** Bytes of one connection handled in one turn. */
  readonly bytesPerTurn: number;
  /** Unsent bytes that reading from a link made it write, above which its input rests: answers cannot pile up. */
  readonly pauseInputAboveBytes: number;
  /** Unread bytes up to which a paused link goes on reading its connection, so that it notices a peer that hangs up. */
  readonly readAheadBytes: number;
  /** How long the transport may stay full without taking a byte before the link is given up. */
  readonly stalledAfterMs: number;
}

export const defaultLimits: LinkLimits = {
  /** About a quarter of a millisecond of small packets: a flood of one connection delays the others no longer. */
  packetsPerTurn: 1024,
  /** One read of a socket is 64 KiB: what it brings is handled at once, what piled up behind it is not. */
  bytesPerTurn: 65_536,
  /** A few reads' worth: a peer that sends and takes nothing costs no more than this. */
  pauseInputAboveBytes: 262_144,
  /** Whatever a client sends right behind its CONNECT, and small beside the 64 KiB that one read may bring. */
  readAheadBytes: 16_384,
  /** A peer that takes nothing for a minute while bytes wait for it is gone, or means harm. */
  stalledAfterMs: 60_000,
};

/** What a timer can wait at most in Node and browsers; a longer one would go off at once. */
export const LONGEST_TIMER_MS: number = 2 ** 31 - 1;

/** A timer that goes off later than this was held up by a process that stood still or was busy: it is not the peer's fault. */
export const LATE_TIMER_MS = 20;

/**
 * Turns of I/O that come before a late timer's judgement: one brings in what lies in the sockets, a second what decrypts or
 * unpacks it in a turn of its own.
 */
export const TURNS_BEFORE_JUDGEMENT = 2;
