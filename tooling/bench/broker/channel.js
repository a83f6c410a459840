// A raw connection of the load generator, over TCP or WebSocket: bytes out, bytes in, nothing else.

import net from "node:net";

/** @typedef {{ send: (bytes: Buffer) => boolean, onData: (chunk: Buffer) => void, onDrain: () => void, close: () => void, socket: net.Socket }} Channel */

/** Connects; over WebSocket also shakes hands. */
export function open(server, transport) {
  return transport === "ws" ? openWebSocket(server) : openTcp(server.tcp);
}

async function openTcp(port) {
  const socket = await connected(port);
  const channel = {
    socket,
    onData() {},
    onDrain() {},
    send: (bytes) => socket.write(bytes),
    close: () => socket.destroy(),
  };
  socket.on("data", (chunk) => channel.onData(chunk));
  socket.on("drain", () => channel.onDrain());
  return channel;
}

async function openWebSocket({ ws, wsPath }) {
  const socket = await connected(ws);
  socket.write(
    `GET ${wsPath} HTTP/1.1\r\nHost: 127.0.0.1:${ws}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
      "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: mqtt\r\n\r\n",
  );
  const rest = await response(socket);
  const channel = {
    socket,
    onData() {},
    onDrain() {},
    send: (bytes) => sendFrame(socket, bytes),
    close: () => socket.destroy(),
  };
  const unframe = unframer((payload) => channel.onData(payload));
  socket.on("data", unframe);
  socket.on("drain", () => channel.onDrain());
  if (rest.length > 0) {
    unframe(rest);
  }
  return channel;
}

function connected(port) {
  return new Promise((resolve, reject) => {
    const socket = net.connect({ port, host: "127.0.0.1", noDelay: true });
    socket.once("connect", () => {
      socket.off("error", reject);
      socket.on("error", () => {});
      resolve(socket);
    });
    socket.once("error", reject);
  });
}

/** Reads the answer to the upgrade; returns what came behind it. */
function response(socket) {
  return new Promise((resolve, reject) => {
    let received = Buffer.alloc(0);
    const onData = (chunk) => {
      received = Buffer.concat([received, chunk]);
      const end = received.indexOf("\r\n\r\n");
      if (end < 0) {
        return;
      }
      socket.off("data", onData);
      if (!received.toString("latin1").startsWith("HTTP/1.1 101")) {
        reject(new Error("no WebSocket there"));
      }
      resolve(received.subarray(end + 4));
    };
    socket.on("data", onData);
  });
}

/** One masked binary frame. The mask is zero: the server unmasks all the same, and the payload goes as it is. */
function sendFrame(socket, payload) {
  const { length } = payload;
  const lengthBytes = length < 126 ? 0 : length < 65_536 ? 2 : 8;
  const header = Buffer.alloc(2 + lengthBytes + 4);
  header[0] = 0x82;
  header[1] = 0x80 | (lengthBytes === 0 ? length : lengthBytes === 2 ? 126 : 127);
  if (lengthBytes === 2) {
    header.writeUInt16BE(length, 2);
  } else if (lengthBytes === 8) {
    header.writeBigUInt64BE(BigInt(length), 2);
  }
  socket.cork();
  socket.write(header);
  const more = socket.write(payload);
  socket.uncork();
  return more;
}

/** Takes the frame headers of a server out of its stream. */
function unframer(onPayload) {
  let payloadLeft = 0;
  let header = Buffer.alloc(0);
  return (chunk) => {
    let offset = 0;
    while (offset < chunk.length) {
      if (payloadLeft > 0) {
        const end = Math.min(chunk.length, offset + payloadLeft);
        onPayload(chunk.subarray(offset, end));
        payloadLeft -= end - offset;
        offset = end;
        continue;
      }
      const needed = header.length < 2 ? 2 : headerLength(header[1]);
      const end = Math.min(chunk.length, offset + needed - header.length);
      header = Buffer.concat([header, chunk.subarray(offset, end)]);
      offset = end;
      if (header.length >= 2 && header.length === headerLength(header[1])) {
        payloadLeft =
          header[1] < 126 ? header[1] : header[1] === 126 ? header.readUInt16BE(2) : Number(header.readBigUInt64BE(2));
        header = Buffer.alloc(0);
      }
    }
  };
}

function headerLength(second) {
  return second < 126 ? 2 : second === 126 ? 4 : 10;
}
