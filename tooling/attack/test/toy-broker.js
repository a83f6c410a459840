/*
 * A broker of the smallest kind, to try the judge on: honest, or with one fault that shows when a packet is malformed.
 * `TOY_FAULT` names the fault.
 */
import { openSync } from "node:fs";
import { createServer } from "node:net";
import { createDecoder, encode, matches, PacketType } from "@tidewire/codec";

const fault = process.env.TOY_FAULT ?? "none";
const clients = new Set();
const kept = [];
let losesMessages = false;

const server = createServer((socket) => new Client(socket));
server.listen(0, "127.0.0.1", () => {
  console.log(`listening tcp://127.0.0.1:${server.address().port}`);
  console.log("ready");
});
process.once("SIGTERM", () => process.exit());

class Client {
  constructor(socket) {
    this.socket = socket;
    this.decoder = createDecoder({ sender: "client" });
    this.filters = [];
    clients.add(this);
    socket.on("error", () => {});
    socket.on("close", () => clients.delete(this));
    socket.on("data", (chunk) => this.take(chunk));
  }

  take(chunk) {
    try {
      this.decoder.push(chunk);
      for (let packet = this.decoder.next(); packet !== null; packet = this.decoder.next()) {
        this.handle(packet);
      }
    } catch (error) {
      this.malformed(error);
    }
  }

  handle(packet) {
    const { packetId } = packet;
    switch (packet.type) {
      case PacketType.CONNECT:
        this.clientId = packet.clientId;
        this.send({ type: PacketType.CONNACK, sessionPresent: false, reasonCode: 0, properties: undefined });
        break;
      case PacketType.SUBSCRIBE:
        this.filters.push(...packet.subscriptions.map(({ filter }) => filter));
        this.send({ type: PacketType.SUBACK, packetId, reasonCodes: [1], properties: undefined });
        break;
      case PacketType.PUBLISH:
        if (packet.qos === 1) {
          this.send({ type: PacketType.PUBACK, packetId, reasonCode: 0, properties: undefined });
        }
        for (const client of losesMessages ? [] : clients) {
          if (client.filters.some((filter) => matches(filter, packet.topic))) {
            client.send(packet);
          }
        }
        break;
      case PacketType.PINGREQ:
        this.send({ type: PacketType.PINGRESP });
        break;
    }
  }

  malformed(error) {
    commit(fault);
    if (fault === "accepts everything") {
      this.decoder = createDecoder({ sender: "client", version: this.decoder.version });
      return;
    }
    if (fault !== "logs nothing") {
      process.stderr.write(`${JSON.stringify({ level: 30, clientId: this.clientId, msg: error.message })}\n`);
    }
    if (this.decoder.version === 5) {
      const reasonCode = fault === "says something else" ? 0x80 : 0x81;
      this.send({ type: PacketType.DISCONNECT, reasonCode, properties: undefined });
    }
    this.socket.end();
  }

  send(packet) {
    this.socket.write(encode(packet, this.decoder.version));
  }
}

function commit(fault) {
  if (fault === "dies") {
    throw new Error("out of order");
  }
  if (fault === "blocks") {
    const usedMs = () => (process.cpuUsage().user + process.cpuUsage().system) / 1000;
    const end = usedMs() + 200;
    while (usedMs() < end) {}
  }
  if (fault === "grows") {
    kept.push(Buffer.alloc(200 * 1024 * 1024, 1));
  }
  if (fault === "keeps files open") {
    kept.push(openSync("/dev/null", "r"));
  }
  if (fault === "loses messages") {
    losesMessages = true;
  }
  if (fault === "throws out others") {
    for (const client of clients) {
      client.socket.destroy();
    }
  }
}
