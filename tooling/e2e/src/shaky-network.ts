import { connect, createServer, type Socket } from "node:net";

/** A way to a port on this machine that can be cut and restored, since a browser cannot be told to drop a WebSocket. */
export interface ShakyNetwork {
  readonly port: number;
  /** Ends every connection and refuses new ones. */
  cut(): void;
  restore(): void;
  close(): void;
}

export async function shakyNetwork(targetPort: number): Promise<ShakyNetwork> {
  const sockets = new Set<Socket>();
  let up = true;
  const server = createServer((near) => {
    if (!up) {
      near.destroy();
      return;
    }
    const far = connect(targetPort, "127.0.0.1");
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(socket);
      socket.pipe(other);
      socket.on("error", () => other.destroy());
      socket.on("close", () => {
        sockets.delete(socket);
        other.destroy();
      });
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const cut = (): void => {
    up = false;
    for (const socket of sockets) {
      socket.destroy();
    }
  };
  return {
    port: (server.address() as { readonly port: number }).port,
    cut,
    restore() {
      up = true;
    },
    close() {
      cut();
      server.close();
    },
  };
}
