/** Joins chunks into messages of at most `limit` bytes, cutting where a limit falls. */
export function* messagesOf(chunks: readonly Uint8Array[], limit: number): Generator<Uint8Array> {
  let size = 0;
  for (const chunk of chunks) size += chunk.length;
  if (chunks.length === 1 && size <= limit) {
    yield chunks[0] as Uint8Array;
    return;
  }
  let message = new Uint8Array(Math.min(size, limit));
  let filled = 0;
  for (const chunk of chunks) {
    for (let offset = 0; offset < chunk.length; ) {
      const part = chunk.subarray(offset, offset + message.length - filled);
      message.set(part, filled);
      filled += part.length;
      offset += part.length;
      if (filled < message.length) continue;
      yield message;
      size -= filled;
      message = new Uint8Array(Math.min(size, limit));
      filled = 0;
    }
  }
}
