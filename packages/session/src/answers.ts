import { PacketType, type Properties } from "@tidewire/codec";

/** The packet types that answer one of the peer's packets. */
export type AnswerType =
  | typeof PacketType.PUBACK
  | typeof PacketType.PUBREC
  | typeof PacketType.SUBACK
  | typeof PacketType.UNSUBACK;

/** An answer owed to the peer. */
export interface Answer {
  type: AnswerType;
  packetId: number;
  /** Given by the caller and only waiting for those before it. */
  ready: boolean;
  reasonCode: number;
  /** Of SUBACK and UNSUBACK. */
  reasonCodes: readonly number[];
  properties: Properties | undefined;
}

/**
 * Answers owed, in the order in which their packets came, which is the order they leave in [MQTT-4.6.0-2],
 * [MQTT-4.6.0-3]. A ring of reused entries, so that an answer given at once allocates nothing.
 */
export class Answers {
  #ring: Answer[] = [];
  #head = 0;
  #size = 0;

  push(type: AnswerType, packetId: number): Answer {
    if (this.#size === this.#ring.length) this.#grow();
    const answer = this.#at(this.#size++);
    answer.type = type;
    answer.packetId = packetId;
    answer.ready = false;
    return answer;
  }

  /** The one for `packetId` that is not ready; nearly always the first. */
  find(packetId: number): Answer | undefined {
    for (let index = 0; index < this.#size; index++) {
      const answer = this.#at(index);
      if (answer.packetId === packetId && !answer.ready) return answer;
    }
    return undefined;
  }

  /** The first when it is ready. It is valid until the next `push`. */
  get ready(): Answer | undefined {
    if (this.#size === 0) return undefined;
    const answer = this.#at(0);
    return answer.ready ? answer : undefined;
  }

  /** Takes the first away. */
  shift(): void {
    this.#head = (this.#head + 1) & (this.#ring.length - 1);
    this.#size--;
  }

  #at(index: number): Answer {
    return this.#ring[(this.#head + index) & (this.#ring.length - 1)] as Answer;
  }

  /** Twice as long, a power of two, the first entry at index 0. */
  #grow(): void {
    const ring: Answer[] = [];
    for (let index = 0; index < this.#size; index++) ring.push(this.#at(index));
    const length = Math.max(FIRST_LENGTH, this.#size * 2);
    while (ring.length < length) {
      ring.push({
        type: PacketType.PUBACK,
        packetId: 0,
        ready: false,
        reasonCode: 0,
        reasonCodes: [],
        properties: undefined,
      });
    }
    this.#ring = ring;
    this.#head = 0;
  }
}

const FIRST_LENGTH = 4;
