/** Every bound of this package, with its reason. */

/** Largest Remaining Length that four bytes can say (MQTT 5.0, 2.1.4). */
export const MAXIMUM_REMAINING_LENGTH = 268_435_455;

/**
 * Default of `DecoderOptions.maximumPacketSize`: the largest packet there is, fixed header included. A smaller limit
 * has to be announced to the peer (MQTT 5.0, 3.1.2.11.4), so it is for the caller to choose; memory stays bounded
 * meanwhile, since a decoder holds no more than what arrived and a little.
 */
export const MAXIMUM_PACKET_SIZE = 268_435_460;

/** Strings and binary data carry a two-byte length (MQTT 5.0, 1.5.4). */
export const MAXIMUM_FIELD_LENGTH = 65_535;

/** A Subscription Identifier is a Variable Byte Integer. */
export const MAXIMUM_VARIABLE_BYTE_INTEGER = 268_435_455;

/**
 * Default depth that `validateTopicName` and `validateTopicFilter` accept. Deeper topics exist only to hurt those who
 * walk them level by level; 128 is more than applications use.
 */
export const MAXIMUM_TOPIC_LEVELS = 128;

/** Chunks that wait for the rest of a packet are put together up to this length, so that each is worth its object. */
export const SMALL_CHUNK = 64;

/** Payloads and encoded packets up to this length are copied among their neighbours, where a chunk of its own costs more. */
export const COPY_LIMIT = 512;

/** Bytes that the writers of this process share for small packets. A waiting socket may pin one of these. */
export const SLAB_SIZE = 32_768;

/** First slab of a writer whose packets do not fit behind each other in the shared one. */
export const FIRST_SLAB_SIZE = 2048;

/** Longest text, in bytes, that the text cache remembers: long enough for most topics. */
export const MAXIMUM_CACHED_LENGTH = 64;

/** Texts in the text cache; with their keys at most some 100 KB. */
export const CACHE_SLOTS = 512;

/** Multiplying mixes upwards: the slot is in the high nine bits of a hash. */
export const CACHE_SLOT_SHIFT = 23;

/** Odd, with bits all over: 2^32 divided by the golden ratio. */
export const HASH_MULTIPLIER = 0x9e3779b1;

/**
 * User properties, subscription identifiers or topic filters that are read from one packet: about 5 ms of work. A megabyte has
 * room for 200,000, over which a server would do nothing else for a tenth of a second; 0x95.
 */
export const MAXIMUM_REPETITIONS = 10_000;
