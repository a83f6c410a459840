import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";

/** A wire that can be cut: passes TCP connections on to a port. */
export class Relay {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #near: Socket | undefined;
  #far: Socket | undefined;

  private constructor(port: number) {
    this.#server = createServer((near) => {
      const far = connect({ host: "127.0.0.1", port });
      this.#near = near;
      this.#far = far;
      for (const [from, to] of [
        [near, far],
        [far, near],
      ] as const) {
        this.#sockets.add(from);
        from.on("error", () => to.destroy()).on("close", () => this.#sockets.delete(from));
        from.pipe(to);
      }
    });
  }

  static async open(port: number): Promise<Relay> {
    const relay = new Relay(port);
    await new Promise<void>((resolve) => relay.#server.listen(0, "127.0.0.1", resolve));
    return relay;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Both ends see their connection break. */
  cut(): void {
    for (const socket of this.#sockets) {
      socket.resetAndDestroy();
    }
  }

  /** Bytes that the other end never sent: to the one that dialled, or to the one that accepted. */
  inject(to: "client" | "server", bytes: Uint8Array): void {
    (to === "client" ? this.#near : this.#far)?.write(bytes);
  }

  close(): void {
    this.cut();
    this.#server.close();
  }
}
