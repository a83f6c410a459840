/** Packet ids first in, first out, with a quick answer to whether one is in it. */
export class IdQueue {
  readonly #ids: number[] = [];
  readonly #members: Set<number> = new Set();
  #head = 0;

  get size(): number {
    return this.#members.size;
  }

  has(packetId: number): boolean {
    return this.#members.has(packetId);
  }

  push(packetId: number): void {
    this.#ids.push(packetId);
    this.#members.add(packetId);
  }

  /** The first; call it only when there is one. */
  shift(): number {
    const packetId = this.#ids[this.#head++] as number;
    this.#members.delete(packetId);
    return packetId;
  }
}
