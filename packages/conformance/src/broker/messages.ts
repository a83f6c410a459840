import type { Peer } from "../peer.ts";
import type { WirePacket } from "../wire/index.ts";

const decoder = new TextDecoder();

/** A payload as text. */
export function text(packet: WirePacket): string {
  return decoder.decode(packet.payload);
}

/** The next `count` messages, acknowledged, as text in the order of arrival. */
export async function payloads(peer: Peer, count: number): Promise<string[]> {
  const found: string[] = [];
  while (found.length < count) {
    found.push(text(await peer.message()));
  }
  return found;
}
