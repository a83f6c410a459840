import type { BrokerLogger } from "../logger.ts";
import type { Deadlines } from "../time/index.ts";

/** What happened to a client; each kind has a share of the log of its own. */
export type NoticeKind = "disconnected" | "refused" | "taken-over" | "denied";

/** Whom a notice is about; logged as fields beside the text. */
export interface NoticeSubject {
  readonly clientId?: string | undefined;
  readonly username?: string | undefined;
  /** Address and port of the peer. */
  readonly address?: string | undefined;
  readonly reasonCode?: number;
  readonly topic?: string;
}

export interface NoticesNeeds {
  readonly deadlines: Pick<Deadlines, "after">;
  readonly logger: BrokerLogger;
}

/**
 * Tells the operator at `info` why a client was thrown out, refused or denied something: one line, with client, address and
 * the reason in words. A flood of them, which any stranger can cause, is cut to a few lines of each kind and a count of
 * what was left out.
 */
export class Notices {
  readonly #needs: NoticesNeeds;
  readonly #kinds = new Map<NoticeKind, { told: number }>();

  constructor(needs: NoticesNeeds) {
    this.#needs = needs;
  }

  /** `reason` says why in words, as a sentence about the client; a function where a flood must not cost what no line shows. */
  tell(kind: NoticeKind, subject: NoticeSubject, reason: string | (() => string)): void {
    const { logger } = this.#needs;
    const window = this.#windowOf(kind);
    window.told += 1;
    if (window.told <= LINES_PER_WINDOW) {
      const why = clause(typeof reason === "string" ? reason : reason());
      logger.info(`${name(subject)} ${WORDS[kind]}: ${why}`, { ...subject, kind, reason: why });
    }
  }

  #windowOf(kind: NoticeKind): { told: number } {
    const existing = this.#kinds.get(kind);
    if (existing !== undefined) {
      return existing;
    }
    const window = { told: 0 };
    this.#kinds.set(kind, window);
    this.#needs.deadlines.after(WINDOW_MS, () => {
      this.#kinds.delete(kind);
      const leftOut = window.told - LINES_PER_WINDOW;
      if (leftOut > 0) {
        this.#needs.logger.info(
          `${leftOut} more times a client ${WORDS[kind]} in the last ${WINDOW_MS / 1000} s; those lines were left out`,
          { kind, leftOut },
        );
      }
    });
    return window;
  }
}

const WINDOW_MS = 10_000;
/** Of each kind in one window: enough to see what is going on, and some 300 bytes/s of log at most. */
const LINES_PER_WINDOW = 20;
/** Characters of a client identifier in a line. */
const NAME_LENGTH = 64;
/** Characters of a reason, which may name a topic. */
const REASON_LENGTH = 256;

const WORDS: Readonly<Record<NoticeKind, string>> = {
  disconnected: "was disconnected",
  refused: "was refused",
  "taken-over": "lost its connection to a newer one",
  denied: "was denied something",
};

function clause(sentence: string): string {
  return cut(sentence.replace(/^The client /, "it ").replace(/\.$/, ""), REASON_LENGTH);
}

function cut(text: string, length: number): string {
  return text.length > length ? `${text.slice(0, length)}...` : text;
}

/** The peer chose the identifier: quoted, on one line, and cut. */
function name({ clientId, address }: NoticeSubject): string {
  if (clientId === undefined || clientId === "") {
    return `a client${address === undefined ? "" : ` at ${address}`}`;
  }
  return `client ${JSON.stringify(cut(clientId, NAME_LENGTH))}${address === undefined ? "" : ` at ${address}`}`;
}
