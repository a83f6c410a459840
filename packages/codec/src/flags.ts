/** Bits inside bytes of packets, as constants of a file of their own, which bundlers put in place as numbers. */

// PUBLISH, in its first byte

export const RETAIN = 0x01;
export const DUP = 0x08;

// CONNECT

/** In the protocol level; see `ConnectPacket.bridge`. */
export const BRIDGE = 0x80;

export const CONNECT_RESERVED = 0x01;
export const CLEAN_START = 0x02;
export const WILL = 0x04;
export const WILL_QOS = 0x18;
export const WILL_RETAIN = 0x20;
export const PASSWORD = 0x40;
export const USERNAME = 0x80;

// Subscription options

export const NO_LOCAL = 0x04;
export const RETAIN_AS_PUBLISHED = 0x08;
export const OPTIONS_RESERVED = 0xc0;
/** What MQTT 3 leaves reserved of the options. */
export const OPTIONS_RESERVED_3 = 0xfc;
