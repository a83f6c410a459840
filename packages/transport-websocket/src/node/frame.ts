import type { Socket } from "node:net";
import { writeChunks } from "@tidewire/transport/node";
import { limits } from "./limits.ts";

/**
 * Writes one unmasked binary message as one frame with one system call. `ws` would take the payload in one piece, so
 * the chunks of a flush would have to be joined first; a server's frames need no mask, and so no copy.
 */
export function writeFrame(
  socket: Socket,
  chunks: readonly Uint8Array[],
  size: number,
  callback: (() => void) | undefined,
): void {
  if (size > limits.joinedFrameBytes) {
    const head = Buffer.allocUnsafe(headLength(size));
    writeHead(head, size);
    writeChunks(socket, [head, ...chunks], head.length + size, callback);
    return;
  }
  const frame = Buffer.allocUnsafe(headLength(size) + size);
  let offset = writeHead(frame, size);
  for (const chunk of chunks) {
    frame.set(chunk, offset);
    offset += chunk.length;
  }
  socket.write(frame, callback);
}

function headLength(size: number): number {
  return size < 126 ? 2 : size < 65_536 ? 4 : 10;
}

/** RFC 6455, section 5.2: the last (and only) frame of a binary message, without a mask. */
function writeHead(target: Buffer, size: number): number {
  target[0] = 0x82;
  if (size < 126) {
    target[1] = size;
    return 2;
  }
  if (size < 65_536) {
    target[1] = 126;
    target.writeUInt16BE(size, 2);
    return 4;
  }
  target[1] = 127;
  target.writeUInt32BE(0, 2);
  target.writeUInt32BE(size, 6);
  return 10;
}
