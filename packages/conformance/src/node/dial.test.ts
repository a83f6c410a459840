import { type AddressInfo, createServer, type Server as NetServer } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import selfsigned from "selfsigned";
import { afterEach, describe, expect, test } from "vitest";
import type { RawConnection } from "../connection.ts";
import { hex } from "../failure.ts";
import { dialUrl, withProfiles } from "./dial.ts";
import { listenTcp, listenWebSocket } from "./listen.ts";

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) {
    await close();
  }
});

/** Sends back what it gets, and ends the connection on a byte FF. */
function echo(connection: RawConnection): void {
  connection.start({
    onData: (bytes) => (bytes[0] === 0xff ? connection.close() : connection.send(bytes)),
    onClose: () => {},
  });
}

/** What comes back for the bytes, and the close at the end. */
async function exchange(connection: RawConnection): Promise<string> {
  return await new Promise((resolve) => {
    let received = "";
    connection.start({
      onData: (bytes) => {
        received += hex(bytes);
        connection.send(Uint8Array.of(0xff));
      },
      onClose: () => resolve(received),
    });
    connection.send(Uint8Array.of(0xc0, 0));
  });
}

async function bind(server: NetServer): Promise<number> {
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  closing.push(() => server.close());
  return (server.address() as AddressInfo).port;
}

describe("dialUrl", () => {
  test.each([
    ["TCP", listenTcp],
    ["WebSocket", listenWebSocket],
  ])("carries bytes and the end over %s", async (_name, listen) => {
    const listener = await listen(echo);
    closing.push(() => listener.close());
    const connection = await dialUrl(listener.address)();
    expect(await exchange(connection)).toBe("c000");
  });

  test("offers the subprotocol mqtt over WebSocket, and can send text", async () => {
    const listener = await listenWebSocket((connection) => connection.start({ onData: () => {}, onClose: () => {} }));
    closing.push(() => listener.close());
    const connection = await dialUrl(listener.address)();
    expect(connection.webSocket?.protocol).toBe("mqtt");
    expect(connection.webSocket?.sendText).toBeTypeOf("function");
    connection.close();
  });

  test("checks certificates over TLS unless told not to", async () => {
    const pems = await selfsigned.generate([{ name: "commonName", value: "localhost" }], {
      extensions: [{ name: "subjectAltName", altNames: [{ type: 2, value: "localhost" }] }],
    });
    const server = createTlsServer({ key: pems.private, cert: pems.cert }, (socket) => {
      socket.on("error", () => {});
      socket.on("data", (bytes) => (bytes[0] === 0xff ? socket.end() : socket.write(bytes)));
    });
    const url = `mqtts://localhost:${await bind(server)}`;
    await expect(dialUrl(url)()).rejects.toThrow(/self.signed/i);
    expect(await exchange(await dialUrl(url, { ca: pems.cert })())).toBe("c000");
    expect(await exchange(await dialUrl(url, { insecure: true })())).toBe("c000");
  });

  test("rejects where nobody listens", async () => {
    const server = createServer();
    const port = await bind(server);
    await new Promise((resolve) => server.close(resolve));
    for (const scheme of ["mqtt", "mqtts", "ws"]) {
      await expect(dialUrl(`${scheme}://127.0.0.1:${port}`)()).rejects.toThrow("ECONNREFUSED");
    }
  });

  test("refuses other schemes", () => {
    expect(() => dialUrl("http://127.0.0.1")).toThrow(expect.objectContaining({ code: "target-invalid" }));
  });
});

test("withProfiles dials the server of the profile, and knows no other", async () => {
  const listener = await listenTcp(echo);
  closing.push(() => listener.close());
  const dial = withProfiles(dialUrl("mqtt://127.0.0.1:1"), new Map([["limited", dialUrl(listener.address)]]));
  expect(await exchange(await dial({ profile: "limited" }))).toBe("c000");
  expect(() => dial({ profile: "secured" })).toThrow("secured");
});
