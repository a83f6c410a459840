/**
 * `PacketType` as single constants, which bundlers put in place as numbers, and the bit of each type in the tables that
 * say which packets may carry a property or a reason code.
 */

export const CONNECT = 1;
export const CONNACK = 2;
export const PUBLISH = 3;
export const PUBACK = 4;
export const PUBREC = 5;
export const PUBREL = 6;
export const PUBCOMP = 7;
export const SUBSCRIBE = 8;
export const SUBACK = 9;
export const UNSUBSCRIBE = 10;
export const UNSUBACK = 11;
export const PINGREQ = 12;
export const PINGRESP = 13;
export const DISCONNECT = 14;
export const AUTH = 15;

/** Stands for the will inside CONNECT. */
export const WILL_BIT = 0x0001;
export const CONNECT_BIT = 0x0002;
export const CONNACK_BIT = 0x0004;
export const PUBLISH_BIT = 0x0008;
export const PUBACK_BIT = 0x0010;
export const PUBREC_BIT = 0x0020;
export const PUBREL_BIT = 0x0040;
export const PUBCOMP_BIT = 0x0080;
export const SUBSCRIBE_BIT = 0x0100;
export const SUBACK_BIT = 0x0200;
export const UNSUBSCRIBE_BIT = 0x0400;
export const UNSUBACK_BIT = 0x0800;
export const DISCONNECT_BIT = 0x4000;
export const AUTH_BIT = 0x8000;
