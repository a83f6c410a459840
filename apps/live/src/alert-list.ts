import { type Alert, parseAlert } from "./alert.ts";
import { AlertHistory } from "./alert-history.ts";
import { byId, element, oncePerFrame } from "./dom.ts";
import { formatTime } from "./format-time.ts";
import { limits } from "./limits.ts";
import type { Notifier } from "./notifier.ts";

/** The alerts section. */
export class AlertList {
  readonly #history = new AlertHistory();
  readonly #list = byId("alert-list", HTMLOListElement);
  readonly #empty = byId("alerts-empty", HTMLElement);
  readonly #badge = byId("alert-badge", HTMLElement);
  readonly #more = byId("alerts-more", HTMLElement);
  readonly #clear = byId("alerts-clear", HTMLButtonElement);
  readonly #notifier: Notifier;
  readonly #announce: (text: string) => void;
  readonly #waiting: Alert[] = [];

  constructor(notifier: Notifier, announce: (text: string) => void) {
    this.#notifier = notifier;
    this.#announce = announce;
    this.#list.append(...this.#history.alerts.map(alertItem));
    this.#clear.addEventListener("click", () => {
      this.#history.clear();
      this.#list.replaceChildren();
      this.#update();
    });
    this.#update();
  }

  /** Takes a message of `alerts/#`. */
  receive(topic: string, payload: string): void {
    const alert = parseAlert(topic, payload, Date.now());
    if (alert === undefined) {
      return;
    }
    this.#waiting.push(alert);
    // A page in the background has no frames.
    if (document.hidden || this.#waiting.length >= limits.alertsPerFrame) {
      this.#takeIn();
    } else {
      this.#paint();
    }
  }

  readonly #paint = oncePerFrame(() => this.#takeIn());

  #takeIn(): void {
    const fresh = this.#history.add(this.#waiting.splice(0));
    const [newest] = fresh;
    if (newest === undefined) {
      return;
    }
    const items = fresh.slice(0, limits.alerts).map(alertItem);
    for (const item of items) {
      item.classList.add("new");
    }
    this.#list.prepend(...items);
    while (this.#list.childElementCount > limits.alerts) {
      this.#list.lastElementChild?.remove();
    }
    this.#update();
    const more = fresh.length === 1 ? "" : `, and ${fresh.length - 1} more`;
    this.#announce(`Alert from ${newest.device}: ${newest.text}${more}`);
    for (const alert of fresh.slice(0, limits.notificationsPerFrame).reverse()) {
      void this.#notifier.notify(alert);
    }
  }

  #update(): void {
    const count = this.#history.alerts.length;
    this.#empty.hidden = count > 0;
    this.#list.hidden = count === 0;
    this.#clear.disabled = count === 0;
    this.#badge.hidden = count === 0;
    this.#badge.textContent = String(count);
    this.#badge.setAttribute("aria-label", `${count} alerts`);
    const { leftOut } = this.#history;
    this.#more.hidden = leftOut === 0;
    this.#more.textContent = leftOut === 0 ? "" : `${leftOut.toLocaleString("en")} older ones not shown`;
  }
}

function alertItem(alert: Alert): HTMLElement {
  return element(
    "li",
    { class: "alert", "data-alert": alert.id },
    element("p", { class: "alert-text" }, alert.text),
    element(
      "p",
      { class: "alert-meta" },
      element("span", {}, `${alert.device} · ${alert.name}`),
      element("time", { datetime: new Date(alert.at).toISOString() }, formatTime(alert.at)),
    ),
  );
}
