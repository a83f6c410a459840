/** Joins chunks into messages of at most `limit` bytes. */
export function messagesOf(chunks: readonly Uint8Array[], limit: number): readonly Uint8Array[] {
  const bytes = chunks.length === 1 ? chunks[0]! : join(chunks);
  if (bytes.length <= limit) {
    return bytes.length === 0 ? [] : [bytes];
  }
  const messages: Uint8Array[] = [];
  for (let offset = 0; offset < bytes.length; offset += limit) {
    messages.push(bytes.subarray(offset, offset + limit));
  }
  return messages;
}

function join(chunks: readonly Uint8Array[]): Uint8Array {
  let size = 0;
  for (const chunk of chunks) {
    size += chunk.length;
  }
  const bytes = new Uint8Array(size);
  let offset = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, offset);
    offset += chunk.length;
  }
  return bytes;
}
