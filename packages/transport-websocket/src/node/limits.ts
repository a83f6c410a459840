/** Limits of the Node entry. */
export const limits = {
  /** From accept to the end of the upgrade: a slow phone needs 2 or 3 s for TLS and HTTP, an attacker all there is. */
  handshakeTimeoutMs: 10_000,
  /** Connections in their handshake at a time: they cost memory before anybody has said who they are. */
  pendingHandshakes: 2_000,
  /** Request line and headers of the upgrade: browsers send 1 or 2 KiB, more with cookies. */
  headerBytes: 16_384,
  /** A message from a client: what a peer can make the server hold by not finishing it. */
  serverMessageBytes: 4_194_304,
  /** A message from a server: other brokers put a whole packet into one, however large. */
  clientMessageBytes: 67_108_864,
  /** Fragments of a message: with none but empty ones to pay for, a flood of them pins memory out of all proportion. */
  fragments: 64,
  /** Pieces in which the network may deliver one frame: a flood of one-byte segments costs 100 bytes each and more. */
  bufferedChunks: 16_384,
  /** The same from a server that was dialled, which is trusted more and may send larger messages. */
  clientFragments: 4_096,
  clientBufferedChunks: 262_144,
  /** Pings not answered because the peer does not read: more ends the connection. */
  pendingPongs: 16,
  /** Connections waiting in the operating system to be accepted: a reconnecting fleet comes all at once. */
  backlog: 1_024,
  /** A frame and its head are joined into one buffer up to here: a copy this small costs less than a second buffer. */
  joinedFrameBytes: 4_096,
} as const;
