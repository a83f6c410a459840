import type { Message } from "@tidewire/client";
import { byId, element, oncePerFrame } from "./dom.ts";
import { formatTime } from "./format-time.ts";
import { limits } from "./limits.ts";
import { payloadText } from "./payload-text.ts";
import { shownText } from "./shown-text.ts";

interface Row {
  readonly atMs: number;
  readonly message: Message;
}

/** The message log: newest first, bounded, painted at most once a frame. */
export class MessageLog {
  readonly #log = byId("log", HTMLOListElement);
  readonly #empty = byId("log-empty", HTMLElement);
  readonly #count = byId("log-count", HTMLElement);
  readonly #pause = byId("log-pause", HTMLButtonElement);
  #waiting: Row[] = [];
  #total = 0;
  #paused = false;

  constructor() {
    this.#pause.addEventListener("click", () => {
      this.#paused = !this.#paused;
      this.#pause.setAttribute("aria-pressed", String(this.#paused));
      this.#paint();
    });
    byId("log-clear", HTMLButtonElement).addEventListener("click", () => {
      this.#waiting = [];
      this.#total = 0;
      this.#log.replaceChildren();
      this.#paint();
    });
  }

  add(message: Message): void {
    this.#total += 1;
    this.#waiting.push({ atMs: Date.now(), message });
    if (this.#waiting.length > limits.logRows) {
      this.#waiting.shift();
    }
    this.#paint();
  }

  readonly #paint = oncePerFrame(() => {
    if (!this.#paused) {
      this.#log.prepend(...this.#waiting.reverse().map(logRow));
      this.#waiting = [];
      while (this.#log.childElementCount > limits.logRows) {
        this.#log.lastElementChild?.remove();
      }
    }
    this.#empty.hidden = this.#total > 0;
    this.#count.textContent = this.#total === 0 ? "" : `${this.#total} received`;
  });
}

function logRow({ atMs, message }: Row): HTMLElement {
  const flags = [`QoS ${message.qos}`, ...(message.retain ? ["retained"] : []), ...(message.dup ? ["again"] : [])];
  return element(
    "li",
    { class: "log-row" },
    element("time", { datetime: new Date(atMs).toISOString() }, formatTime(atMs)),
    element("span", { class: "log-topic" }, shownText(message.topic, limits.shownTopic)),
    element("span", { class: "log-flags" }, flags.join(" · ")),
    element("span", { class: "log-payload" }, payloadText(message.payload)),
  );
}
