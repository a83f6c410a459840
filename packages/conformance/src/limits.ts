/** Time a case may take. A broker answers in milliseconds; a loaded machine needs the rest. */
export const CASE_TIMEOUT_MS = 120_000;

/** Time to wait for one expected packet or for a close. Shorter than a case, so that the failure names the packet. */
export const ANSWER_TIMEOUT_MS = 5_000;

/**
 * Time to listen for something that must not come. A wrong packet follows its cause at once; waiting longer only makes
 * the run longer, and a slow machine can hide a fault this way but never invent one.
 */
export const QUIET_MS = 300;

/** Cases running side by side: enough that waiting does not add up, few enough that no answer comes late. */
export const CONCURRENCY = 24;

/** Bytes a peer may send in one packet before the connection is given up: nothing the suite asks for comes near it. */
export const MAXIMUM_RECEIVED_PACKET = 4_194_304;

/** Lines of a transcript that are kept, and characters of each. */
export const TRANSCRIPT_LINES = 200;
export const TRANSCRIPT_LINE_LENGTH = 160;

/** Time to reach a server. */
export const DIAL_TIMEOUT_MS = 5_000;

/** Connections that one case opens at once for the variants of a malformed packet: some cases have 25 of them. */
export const VARIANTS_AT_A_TIME = 8;
