import { STATUS_CODES } from "node:http";
import type { Socket } from "node:net";
import type { TransportErrorCode } from "@tidewire/transport";

/** Why a request does not become a connection: for the peer and for the log alike, so no word of the request is in it. */
export interface Refusal {
  readonly status: number;
  readonly code: TransportErrorCode;
  readonly reason: string;
}

/** Answers and ends; a peer that does not take the answer is cut off by the limit on its handshake. */
export function answer(socket: Socket, { status, reason }: Omit<Refusal, "code">): void {
  socket.on("error", () => {});
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  socket.once("finish", () => socket.destroy());
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\nContent-Type: text/plain\r\n` +
      `${status === 426 ? "Upgrade: websocket\r\n" : ""}` +
      `Content-Length: ${Buffer.byteLength(reason)}\r\n\r\n${reason}`,
  );
}
