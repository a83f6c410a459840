/** Limits of the Node entry. */
export const limits = {
  /** Request line and headers of the upgrade: browsers send 1 or 2 KiB, more with cookies. */
  headerBytes: 16_384,
  /** Headers of a request: browsers send 20, proxies add some. */
  headers: 100,
  /** The time limits of `ws` come this much after those of the connection, and never first. */
  laterMs: 5_000,
  /** What a connection holds of an unfinished message before its owner allows more: a first packet is far smaller. */
  firstInputBytes: 65_536,
  /** The largest MQTT packet and the rest of a chunk: what a client may really send, `allowInput` says. */
  serverMessageBytes: 268_500_992,
  /** A compressed message: a few bytes of it can become a thousand times as many, and nobody can stop half-way. */
  inflatedMessageBytes: 4_194_304,
  /** A message from a server: other brokers put a whole packet into one, however large. */
  clientMessageBytes: 67_108_864,
  /** Fragments of a message: with none but empty ones to pay for, a flood of them pins memory out of all proportion. */
  fragments: 64,
  /** The same from a server that was dialled, which is trusted more and may send larger messages. */
  clientFragments: 4_096,
  clientBufferedChunks: 262_144,
  /**
   * A frame may come in one piece of the network for so many bytes that are allowed to be pending, and in so many
   * pieces at least: a flood of segments of one byte costs 100 bytes each and more.
   */
  bytesPerChunk: 64,
  leastChunks: 1_024,
  /** What `ws` itself puts up with; the two limits above are the ones that count. */
  bufferedChunks: 8_388_608,
  /** Pings not answered because the peer does not read: more ends the connection. */
  pendingPongs: 16,
  /** A frame and its head are joined into one buffer up to here: a copy this small costs less than a second buffer. */
  joinedFrameBytes: 4_096,
} as const;
