// Packets of several clients, some of them mutated, interleaved through one protocol engine each. Nothing may be thrown, an
// end is told once and last, nothing is written after it, and no packet is larger than the client takes.

import { createDecoder, createPacketWriter } from "@tidewire/codec";
import { createInflight, createServerProtocol, SessionError } from "@tidewire/session";
import { mutate, randomFrom } from "./mutations.js";

const CONNECTIONS = 4;

/**
 * @param {{ seed: number, rounds: number, corpus: readonly { version: 3 | 4 | 5, bytes: Uint8Array }[] }} options
 * @returns {{ packets: number, connects: number, ends: Record<string, number> }}
 */
export function fuzzProtocols({ seed, rounds, corpus }) {
  const random = randomFrom(seed);
  const totals = { packets: 0, connects: 0, ends: {} };
  const connects = corpus.filter(({ bytes }) => bytes[0] >> 4 === 1);
  for (let round = 0; round < rounds; round += 1) {
    const inflights = [createInflight(), createInflight()];
    const servers = Array.from({ length: CONNECTIONS }, () => new Server(random, inflights, totals));
    try {
      for (const server of servers) {
        server.read(pick(connects, random).bytes);
      }
      for (let step = 0; step < 30; step += 1) {
        const { bytes } = pick(corpus, random);
        pick(servers, random).read(random(4) === 0 ? mutate(bytes, corpus, random) : bytes);
        pick(servers, random).act();
      }
    } catch (error) {
      throw new Error(`seed ${seed}, round ${round}`, { cause: error });
    }
  }
  return totals;
}

class Server {
  #random;
  #totals;
  #inflights;
  #writer = createPacketWriter();
  #decoder = createDecoder({ sender: "client", maximumPacketSize: 65_536 });
  #protocol;
  #ended = false;
  #failed = false;
  #owed = [];
  #maximumPacketSize = Number.POSITIVE_INFINITY;
  #now = 0;

  constructor(random, inflights, totals) {
    this.#random = random;
    this.#inflights = inflights;
    this.#totals = totals;
    const told = (call) => (packet) => {
      if (this.#ended) {
        throw new Error("told of something after the end");
      }
      call?.(packet);
    };
    this.#protocol = createServerProtocol({
      writer: this.#writer,
      now: 0,
      handler: {
        onConnect: told((packet) => this.#connect(packet)),
        onPublish: told(
          ({ qos, packetId }) => qos > 0 && this.#owe((now) => this.#protocol.acknowledge(packetId, 0, now)),
        ),
        onSubscribe: told(({ packetId, subscriptions }) =>
          this.#owe((now) => this.#protocol.suback(packetId, Array(subscriptions.length).fill(0), now)),
        ),
        onUnsubscribe: told(({ packetId, filters }) =>
          this.#owe((now) => this.#protocol.unsuback(packetId, Array(filters.length).fill(0), now)),
        ),
        onAuth: told(() => {}),
        onDisconnect: told(),
        onSettled: told(),
        onSendQuota: told(),
        onEnd: told(({ kind, error }) => {
          this.#ended = true;
          this.#totals.ends[kind] = (this.#totals.ends[kind] ?? 0) + 1;
          if (error !== undefined && (typeof error.code !== "string" || !/^[A-Z].*\.$/.test(error.message))) {
            throw new Error(`no sentence: ${error.message}`);
          }
        }),
      },
    });
  }

  read(bytes) {
    if (this.#failed) {
      return;
    }
    this.#decoder.push(bytes);
    this.#now += this.#random(2000);
    for (;;) {
      let packet = null;
      try {
        packet = this.#decoder.next();
      } catch (error) {
        this.#failed = true;
        this.#protocol.receiveError(error, this.#now);
      }
      if (packet === null) {
        break;
      }
      this.#totals.packets += 1;
      this.#protocol.receive(packet, this.#now);
      this.#check();
    }
    this.#check();
  }

  /** What a broker may do at any time: answer what is owed, send, tick, end. */
  act() {
    const protocol = this.#protocol;
    for (const answer of this.#owed.splice(0, this.#random(3))) {
      answer(this.#now);
    }
    try {
      switch (this.#random(12)) {
        case 0:
          protocol.tick(this.#now);
          break;
        case 1:
          protocol.disconnect(0x8e, this.#now, { reasonString: "r".repeat(this.#random(40)) });
          break;
        case 2:
          protocol.receiveEnd(this.#now);
          break;
        case 3:
          protocol.fail(Object.assign(new Error("A handler threw."), { code: "handler" }), this.#now);
          break;
        default:
          protocol.publish(
            {
              topic: "t",
              payload: new Uint8Array(this.#random(30)),
              qos: this.#random(3),
              retain: false,
              properties: undefined,
            },
            this.#now,
          );
      }
    } catch (error) {
      // What was asked for in the wrong state, or is larger than the client takes.
      if (!(error instanceof SessionError && error.kind === "misuse") && error.code !== "packet-too-large") {
        throw error;
      }
    }
    this.#check();
  }

  #connect({ properties, cleanStart }) {
    this.#totals.connects += 1;
    this.#maximumPacketSize = properties?.maximumPacketSize ?? Number.POSITIVE_INFINITY;
    if (this.#random(8) === 0) {
      this.#protocol.reject(0x87, this.#now);
      return;
    }
    const sessionPresent = !cleanStart && this.#random(2) === 0;
    const receiveMaximum = 1 + this.#random(5);
    const inflight = this.#inflights[this.#random(2)];
    this.#protocol.accept(
      { inflight, sessionPresent, properties: { receiveMaximum, topicAliasMaximum: 2 } },
      this.#now,
    );
  }

  #owe(answer) {
    if (this.#random(3) > 0) {
      answer(this.#now);
    } else {
      this.#owed.push(answer);
    }
  }

  #check() {
    const reader = createDecoder({ sender: "server", version: this.#protocol.version });
    for (const chunk of this.#writer.take()) {
      reader.push(chunk);
    }
    for (let packet = reader.next(); packet !== null; packet = reader.next()) {
      const { length } = reader.lastPacketBytes();
      if (length > this.#maximumPacketSize) {
        throw new Error(`a packet of ${length} bytes, of ${this.#maximumPacketSize}`);
      }
    }
    if ((this.#protocol.end !== undefined) !== this.#ended) {
      throw new Error("the end was not told");
    }
  }
}

function pick(from, random) {
  return from[random(from.length)];
}
