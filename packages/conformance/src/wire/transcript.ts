import type { MqttVersion } from "../case.ts";
import { hex } from "../failure.ts";
import { TRANSCRIPT_LINE_LENGTH, TRANSCRIPT_LINES } from "../limits.ts";
import { utf8 } from "./bytes.ts";
import { PacketSplitter, type WirePacket } from "./decode.ts";
import type { Property } from "./properties.ts";
import { Type, typeName } from "./types.ts";

/** What went over one case's connections, as text: who, which way, what. */
export class Transcript {
  readonly #started = performance.now();
  readonly #lines: string[] = [];
  #dropped = 0;

  note(who: string, text: string): void {
    if (this.#lines.length >= TRANSCRIPT_LINES) {
      this.#dropped += 1;
      return;
    }
    const elapsed = String(Math.round(performance.now() - this.#started)).padStart(5);
    this.#lines.push(`${elapsed} ms  ${who.padEnd(12)} ${clip(text, TRANSCRIPT_LINE_LENGTH)}`);
  }

  sent(who: string, bytes: Uint8Array, version: MqttVersion): void {
    for (const text of describeBytes(bytes, version)) {
      this.note(who, `-> ${text}`);
    }
  }

  received(who: string, packet: WirePacket): void {
    this.note(who, `<- ${describePacket(packet)}`);
  }

  toString(): string {
    const rest = this.#dropped === 0 ? [] : [`(and ${this.#dropped} more)`];
    return [...this.#lines, ...rest].join("\n");
  }
}

/** One line for a packet. */
export function describePacket(packet: WirePacket): string {
  const parts = [typeName(packet.type)];
  const { type } = packet;
  if (packet.connect !== undefined) {
    const { clientId, protocolLevel, flags, keepAlive } = packet.connect;
    parts.push(
      JSON.stringify(clip(clientId, 40)),
      `level=${protocolLevel} flags=0x${flags.toString(16)} keepAlive=${keepAlive}`,
    );
  } else if (type === Type.CONNACK) {
    parts.push(`sessionPresent=${packet.sessionPresent}`, reason(packet.reasonCode));
  } else if (type === Type.PUBLISH) {
    parts.push(`${JSON.stringify(clip(packet.topic, 60))} qos=${packet.qos}`);
    if (packet.packetId !== 0) {
      parts.push(`id=${packet.packetId}`);
    }
    if (packet.dup) {
      parts.push("dup");
    }
    if (packet.retain) {
      parts.push("retain");
    }
    parts.push(payloadText(packet.payload));
  } else if (type === Type.SUBACK || type === Type.UNSUBACK) {
    parts.push(`id=${packet.packetId} [${packet.reasonCodes.map(reason).join(", ")}]`);
  } else if (type === Type.SUBSCRIBE || type === Type.UNSUBSCRIBE) {
    const filters = packet.filters.map((filter, index) => `${clip(filter, 40)}${option(packet.options[index])}`);
    parts.push(`id=${packet.packetId} [${filters.join(", ")}]`);
  } else if (type >= Type.PUBACK && type <= Type.PUBCOMP) {
    parts.push(`id=${packet.packetId}`);
    if (packet.reasonCode !== 0) {
      parts.push(reason(packet.reasonCode));
    }
  } else if (type === Type.DISCONNECT || type === Type.AUTH) {
    parts.push(reason(packet.reasonCode));
  }
  if (packet.properties.length > 0) {
    parts.push(`{${packet.properties.map(propertyText).join(", ")}}`);
  }
  if (packet.problem !== undefined) {
    parts.push(`(unreadable: ${packet.problem}; ${hex(packet.bytes.subarray(0, 40))})`);
  }
  return parts.join(" ");
}

function describeBytes(bytes: Uint8Array, version: MqttVersion): string[] {
  try {
    const splitter = new PacketSplitter(version);
    const packets = splitter.push(bytes);
    const lines = packets.map((packet) => {
      const fixed = packet.type !== Type.PUBLISH && packet.flags !== expectedFlags(packet.type);
      return (
        describePacket(packet) + (fixed ? ` (fixed header flags ${packet.flags.toString(2).padStart(4, "0")})` : "")
      );
    });
    if (splitter.pending.length > 0) {
      lines.push(`bytes ${hex(splitter.pending.subarray(0, 60))}`);
    }
    return lines;
  } catch {
    return [`bytes ${hex(bytes.subarray(0, 60))}`];
  }
}

/** Fixed header flags that a packet type has to carry (2.2.2 in 3.1.1, 2.1.3 in 5.0). */
export function expectedFlags(type: number): number {
  return type === Type.PUBREL || type === Type.SUBSCRIBE || type === Type.UNSUBSCRIBE ? 2 : 0;
}

function reason(code: number): string {
  return `0x${code.toString(16).padStart(2, "0")}`;
}

function option(value: number | undefined): string {
  return value === undefined ? "" : `:${value}`;
}

function payloadText(payload: Uint8Array): string {
  if (payload.length === 0) {
    return "(empty)";
  }
  return payload.every((byte) => byte >= 0x20 && byte < 0x7f)
    ? JSON.stringify(clip(String.fromCharCode(...payload.subarray(0, 60)), 60))
    : `${payload.length} bytes`;
}

function propertyText([name, value, pairValue]: Property): string {
  const text = (part: Property[1]): string => {
    if (typeof part === "number") {
      return String(part);
    }
    return typeof part === "string" ? JSON.stringify(clip(part, 40)) : `0x${hex(utf8(part).subarray(0, 20))}`;
  };
  return pairValue === undefined ? `${name}=${text(value)}` : `${text(value)}: ${text(pairValue)}`;
}

function clip(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length)}…`;
}
