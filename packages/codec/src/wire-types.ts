/*
 * Wire types of property values (MQTT 5.0, 2.2.2.2), told apart further by what they are in JavaScript. The last two
 * come as arrays, since they may repeat.
 */

/** One byte, 0 or 1, as number. */
export const BIT = 0;
/** One byte, 0 or 1, as boolean. */
export const BOOLEAN = 1;
export const UINT16 = 2;
export const UINT32 = 3;
export const STRING = 4;
/** A string that is a topic name: not empty, no wildcards. */
export const TOPIC_NAME = 5;
export const BINARY = 6;
export const VARIABLE_BYTE_INTEGER = 7;
export const STRING_PAIR = 8;
