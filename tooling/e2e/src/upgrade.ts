import { WebSocket } from "ws";

/** The HTTP status of a WebSocket request as a page of `origin` makes it; 101 when it is accepted. */
export function upgradeStatus(url: string | URL, origin: string | undefined): Promise<number | undefined> {
  return new Promise((resolve) => {
    const socket = new WebSocket(url, "mqtt", origin === undefined ? {} : { origin });
    socket.once("unexpected-response", (_request, response) => {
      resolve(response.statusCode);
      response.destroy();
    });
    socket.once("open", () => {
      resolve(101);
      socket.terminate();
    });
    socket.on("error", () => {});
  });
}
