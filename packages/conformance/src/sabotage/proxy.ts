import type { MqttVersion } from "../case.ts";
import type { RawConnection, RawDial, RawHandler } from "../connection.ts";
import { PacketSplitter, type WirePacket } from "../wire/index.ts";

/** One client's connection, as a saboteur sees it. */
export interface Line {
  readonly version: MqttVersion;
  /** What the saboteur remembers about this connection. */
  readonly memory: Map<string, unknown>;
  /** What it remembers over all connections of the run. */
  readonly common: Map<string, unknown>;
  /** The client's CONNECT, once it was sent. */
  readonly connect: WirePacket | undefined;
  sendToClient(bytes: Uint8Array): void;
}

/**
 * What to do with a packet on its way: undefined lets it through as it is, a list goes out in its place (an empty one
 * swallows it).
 */
export type Hook = (packet: WirePacket, line: Line) => readonly Uint8Array[] | undefined;

/**
 * A broker with one rule broken: a correct one, and a hook on the packets to or from it. It shows that the suite can
 * fail: the cases of the rule's statements have to, and no other case may.
 */
export interface Saboteur {
  readonly id: string;
  readonly version: MqttVersion;
  /** What this broker does wrong. */
  readonly fault: string;
  /** The statement the fault breaks; a case that names it has to fail. */
  readonly breaks: string;
  /** Statements that the same fault breaks as well: their cases may fail, others may not. */
  readonly also?: readonly string[];
  readonly toServer?: Hook;
  readonly toClient?: Hook;
}

/** The way to a broker that has the saboteur's fault. */
export function sabotage(dial: RawDial, saboteur: Saboteur): RawDial {
  const common = new Map<string, unknown>();
  return async (options) => new SabotagedConnection(await dial(options), saboteur, common);
}

class SabotagedConnection implements RawConnection, Line {
  readonly version: MqttVersion;
  readonly memory: Map<string, unknown> = new Map();
  readonly common: Map<string, unknown>;
  connect: WirePacket | undefined;
  readonly #inner: RawConnection;
  readonly #saboteur: Saboteur;
  readonly #toServer: Cutter;
  readonly #toClient: Cutter;
  #handler: RawHandler | undefined;
  #closed = false;

  constructor(inner: RawConnection, saboteur: Saboteur, common: Map<string, unknown>) {
    this.#inner = inner;
    this.#saboteur = saboteur;
    this.common = common;
    this.version = saboteur.version;
    this.#toServer = new Cutter(saboteur.version);
    this.#toClient = new Cutter(saboteur.version);
  }

  start(handler: RawHandler): void {
    this.#handler = handler;
    this.#inner.start({
      onData: (bytes) => {
        for (const packet of this.#toClient.cut(bytes, (rest) => handler.onData(rest))) {
          for (const out of this.#saboteur.toClient?.(packet, this) ?? [packet.bytes]) {
            handler.onData(out);
          }
        }
      },
      onClose: () => {
        this.#closed = true;
        handler.onClose();
      },
    });
  }

  send(bytes: Uint8Array): void {
    for (const packet of this.#toServer.cut(bytes, (rest) => this.#inner.send(rest))) {
      const replaced = this.#saboteur.toServer?.(packet, this);
      this.connect ??= packet.connect === undefined ? undefined : packet;
      for (const out of replaced ?? [packet.bytes]) {
        this.#inner.send(out);
      }
    }
  }

  sendToClient(bytes: Uint8Array): void {
    if (!this.#closed) {
      this.#handler?.onData(bytes);
    }
  }

  close(): void {
    this.#closed = true;
    this.#inner.close();
  }
}

/** Cuts one direction into packets, until its bytes cannot be packets any more: from there on they pass as they are. */
class Cutter {
  readonly #splitter: PacketSplitter;
  #opaque = false;

  constructor(version: MqttVersion) {
    this.#splitter = new PacketSplitter(version);
  }

  cut(bytes: Uint8Array, pass: (bytes: Uint8Array) => void): readonly WirePacket[] {
    try {
      if (!this.#opaque) {
        return this.#splitter.push(bytes);
      }
    } catch {
      this.#opaque = true;
    }
    pass(bytes);
    return [];
  }
}
