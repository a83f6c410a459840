import type { LinkLimits } from "./interfaces.ts";

/** Every bound of this package, with its reason. */
export const defaultLimits: LinkLimits = {
  /** About a quarter of a millisecond of small packets: a flood of one connection delays the others no longer. */
  packetsPerTurn: 1024,
  /** One read of a socket is 64 KiB: what it brings is handled at once, what piled up behind it is not. */
  bytesPerTurn: 65_536,
  /** A few reads' worth: a peer that sends and takes nothing costs no more than this. */
  pauseInputAboveBytes: 262_144,
  /** A peer that takes nothing for a minute while bytes wait for it is gone, or means harm. */
  stalledAfterMs: 60_000,
};

/** What a timer can wait at most in Node and browsers; a longer one would go off at once. */
export const LONGEST_TIMER_MS: number = 2 ** 31 - 1;
