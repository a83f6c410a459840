// One client of the soak: a session that lives over many connections, and books that balance.

import { PacketType } from "@tidewire/codec";
import { createClientProtocol, createInflight } from "@tidewire/session";

/** What all clients of a run know together. */
export class Ledger {
  /** Published and not received yet: message to QoS. */
  outstanding = new Map();
  /** QoS 2 messages that have arrived, for as long as a second one could come. */
  #arrived = [new Set(), new Set()];
  sent = 0;
  received = 0;
  repeatedQoS1 = 0;
  repeatedQoS2 = 0;
  unknown = 0;

  send(message, qos) {
    this.outstanding.set(message, qos);
    this.sent += 1;
  }

  receive(message, qos) {
    this.received += 1;
    if (this.outstanding.delete(message)) {
      if (qos === 2) {
        this.#remember(message);
      }
    } else if (qos === 1) {
      this.repeatedQoS1 += 1;
    } else if (this.#arrived.some((set) => set.has(message))) {
      this.repeatedQoS2 += 1;
    } else {
      this.unknown += 1;
    }
  }

  #remember(message) {
    this.#arrived[0].add(message);
    if (this.#arrived[0].size > 500_000) {
      this.#arrived = [new Set(), this.#arrived[0]];
    }
  }
}

export class SoakClient {
  #loop;
  #dial;
  #ledger;
  #inflight = createInflight();
  #session;
  #link;
  #stopped = false;
  connected = false;
  connections = 0;
  sessionsLost = 0;

  constructor(index, { loop, dial, ledger }) {
    this.topic = `soak/${index}`;
    this.clientId = `soak-${index}`;
    this.#loop = loop;
    this.#dial = dial;
    this.#ledger = ledger;
  }

  async connect() {
    if (this.#stopped) {
      return;
    }
    let connection;
    try {
      connection = await this.#dial();
    } catch {
      setTimeout(() => this.connect(), 1000 + Math.random() * 1000);
      return;
    }
    this.connections += 1;
    this.#link = this.#loop.attach(connection, {
      decoder: { version: 5 },
      createProtocol: (writer) => {
        this.#session = createClientProtocol({
          connect: this.#connectPacket(),
          inflight: this.#inflight,
          writer,
          handler: this,
        });
        this.#session.open(this.#loop.now);
        return this.#session;
      },
    });
    this.#link.touch();
  }

  /** False when it cannot be sent now; then nothing has happened. */
  publish(topic, message, qos) {
    if (!this.connected || this.#session.sendQuota === 0) {
      return false;
    }
    this.#ledger.send(message, qos);
    const payload = new TextEncoder().encode(message);
    this.#session.publish({ topic, payload, qos, retain: false, properties: undefined }, this.#loop.now);
    this.#link.touch();
    return true;
  }

  /** As when the network goes: no DISCONNECT. */
  cut() {
    this.#link?.abort();
  }

  stop() {
    this.#stopped = true;
    this.cut();
  }

  onConnack(packet) {
    this.connected = true;
    if (packet.sessionPresent) {
      return;
    }
    if (this.connections > 1) {
      this.sessionsLost += 1;
    }
    const subscription = { filter: this.topic, qos: 2, noLocal: false, retainAsPublished: false, retainHandling: 0 };
    this.#session.subscribe([subscription], this.#loop.now);
  }

  onPublish({ payload, qos, packetId }) {
    if (this.#session.acknowledge(packetId, 0, this.#loop.now)) {
      this.#ledger.receive(new TextDecoder().decode(payload), qos);
    }
  }

  onEnd() {
    this.connected = false;
    setTimeout(() => this.connect(), Math.random() * 2000);
  }

  onSuback() {}
  onUnsuback() {}
  onSettled() {}
  onSendQuota() {}
  onDisconnect() {}

  #connectPacket() {
    return {
      type: PacketType.CONNECT,
      version: 5,
      clientId: this.clientId,
      cleanStart: this.connections === 1,
      keepAlive: 60,
      will: undefined,
      username: undefined,
      password: undefined,
      properties: { sessionExpiryInterval: 3600 },
    };
  }
}
