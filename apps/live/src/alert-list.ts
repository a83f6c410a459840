import { type Alert, parseAlert } from "./alert.ts";
import { AlertHistory } from "./alert-history.ts";
import { byId, element } from "./dom.ts";
import { formatTime } from "./format-time.ts";
import { limits } from "./limits.ts";
import type { Notifier } from "./notifier.ts";

/** The alerts section. */
export class AlertList {
  readonly #history = new AlertHistory();
  readonly #list = byId("alert-list", HTMLOListElement);
  readonly #empty = byId("alerts-empty", HTMLElement);
  readonly #badge = byId("alert-badge", HTMLElement);
  readonly #clear = byId("alerts-clear", HTMLButtonElement);
  readonly #notifier: Notifier;
  readonly #announce: (text: string) => void;

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
    if (alert === undefined || !this.#history.add(alert)) {
      return;
    }
    const item = alertItem(alert);
    item.classList.add("new");
    this.#list.prepend(item);
    while (this.#list.childElementCount > limits.alerts) {
      this.#list.lastElementChild?.remove();
    }
    this.#update();
    this.#announce(`Alert from ${alert.device}: ${alert.text}`);
    void this.#notifier.notify(alert);
  }

  #update(): void {
    const count = this.#history.alerts.length;
    this.#empty.hidden = count > 0;
    this.#list.hidden = count === 0;
    this.#clear.disabled = count === 0;
    this.#badge.hidden = count === 0;
    this.#badge.textContent = String(count);
    this.#badge.setAttribute("aria-label", `${count} alerts`);
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
