import type { Socket } from "node:net";
import { TransportError } from "../errors.ts";
import { type ProxyHeader, parseProxyHeader } from "./proxy-protocol.ts";

/** Reads a PROXY header off the socket and leaves what follows it to be read. The listener limits the time. */
export function readProxyHeader(socket: Socket, onResult: (result: ProxyHeader | TransportError) => void): void {
  let received: Buffer = Buffer.alloc(0);
  const onData = (chunk: Buffer): void => {
    received = Buffer.concat([received, chunk]);
    let header: ProxyHeader | undefined;
    try {
      header = parseProxyHeader(received);
    } catch (error) {
      stop();
      onResult(error as TransportError);
      return;
    }
    if (header === undefined) {
      return;
    }
    stop();
    if (header.length < received.length) {
      socket.unshift(received.subarray(header.length));
    }
    onResult(header);
  };
  const onEnd = (): void => {
    stop();
    onResult(new TransportError("closed", "Ended before the PROXY header was complete."));
  };
  const stop = (): void => {
    socket.pause();
    socket.off("data", onData).off("end", onEnd);
  };
  socket.on("data", onData).on("end", onEnd);
}
