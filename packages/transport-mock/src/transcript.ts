import { limits } from "./limits.ts";

export type TranscriptEvent = "open" | "refused" | "data" | "end" | "abort" | "cut" | "stall" | "unstall";

/** One thing that happened on the network. */
export interface TranscriptEntry {
  readonly atMs: number;
  /** Number of the link, from 1; 0 for the network as a whole. */
  readonly link: number;
  readonly from: "client" | "server" | "network";
  readonly event: TranscriptEvent;
  /** What was delivered, for `data`. */
  readonly bytes?: Uint8Array;
}

/** What happened on a mock network, in order; readable with `toString`. */
export class Transcript {
  readonly #entries: TranscriptEntry[] = [];
  #dropped = 0;

  get entries(): readonly TranscriptEntry[] {
    return this.#entries;
  }

  /** Entries recorded so far; use it as a mark for `since`. */
  get length(): number {
    return this.#dropped + this.#entries.length;
  }

  /** Entries recorded after the mark. */
  since(mark: number): readonly TranscriptEntry[] {
    return this.#entries.slice(Math.max(0, mark - this.#dropped));
  }

  add(entry: TranscriptEntry): void {
    if (this.#entries.length >= limits.transcriptEntries) {
      const block = limits.transcriptEntries >> 1;
      this.#entries.splice(0, block);
      this.#dropped += block;
    }
    this.#entries.push(entry);
  }

  /** One line an entry, such as `   12 ms  #1 client -> 10 0c 00 04  |....|`. */
  toString(): string {
    const lines = this.#entries.map(formatEntry);
    return this.#dropped > 0 ? [`(${this.#dropped} earlier entries dropped)`, ...lines].join("\n") : lines.join("\n");
  }
}

export function formatEntry(entry: TranscriptEntry): string {
  const head = `${String(entry.atMs).padStart(6)} ms  #${entry.link} ${entry.from}`;
  return entry.bytes === undefined ? `${head} ${entry.event}` : `${head} -> ${formatBytes(entry.bytes)}`;
}

const shownBytes = 32;

function formatBytes(bytes: Uint8Array): string {
  const shown = Array.from(bytes.subarray(0, shownBytes));
  const hex = shown.map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
  const text = shown.map((byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : ".")).join("");
  const rest = bytes.length > shownBytes ? ` ... ${bytes.length} bytes` : "";
  return `${hex}  |${text}|${rest}`;
}
