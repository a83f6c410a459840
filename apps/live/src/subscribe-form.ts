import type { Client, Message, Subscription } from "@tidewire/client";
import { byId, element } from "./dom.ts";
import { limits } from "./limits.ts";

/** The form that subscribes, and the list of what it subscribed to. */
export class SubscribeForm {
  readonly #client: Client;
  readonly #onMessage: (message: Message) => void;
  readonly #form = byId("subscribe-form", HTMLFormElement);
  readonly #filter = byId("subscribe-filter", HTMLInputElement);
  readonly #qos = byId("subscribe-qos", HTMLSelectElement);
  readonly #status = byId("subscribe-status", HTMLElement);
  readonly #list = byId("subscription-list", HTMLUListElement);
  readonly #filters = new Set<string>();

  constructor(client: Client, onMessage: (message: Message) => void) {
    this.#client = client;
    this.#onMessage = onMessage;
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.#subscribe(this.#filter.value, toQoS(this.#qos.value));
    });
  }

  async #subscribe(filter: string, qos: QoS): Promise<void> {
    if (this.#filters.has(filter)) return this.#say(`${filter} is subscribed already.`, "error");
    if (this.#filters.size >= limits.subscriptions) return this.#say("Remove a subscription first.", "error");
    this.#filters.add(filter);
    this.#say(`Subscribing to ${filter} …`);
    try {
      const subscription = await this.#client.subscribe(filter, { qos, onMessage: this.#onMessage });
      this.#list.append(this.#chip(filter, subscription));
      this.#say(`Subscribed to ${filter} with QoS ${subscription.granted[0]}.`, "success");
    } catch (error) {
      this.#filters.delete(filter);
      this.#say(String(error instanceof Error ? error.message : error), "error");
    }
  }

  #chip(filter: string, subscription: Subscription): HTMLElement {
    const remove = element("button", { type: "button", "aria-label": `Unsubscribe from ${filter}` }, "×");
    const chip = element("li", { class: "chip" }, element("code", {}, filter), remove);
    remove.addEventListener("click", () => {
      chip.remove();
      this.#filters.delete(filter);
      this.#filter.focus();
      subscription.unsubscribe().then(
        () => this.#say(`Unsubscribed from ${filter}.`),
        (error: unknown) => this.#say(String(error instanceof Error ? error.message : error), "error"),
      );
    });
    return chip;
  }

  #say(text: string, kind: "" | "success" | "error" = ""): void {
    this.#status.textContent = text;
    this.#status.dataset.kind = kind;
  }
}

export type QoS = Message["qos"];

/** The value of a QoS `<select>`. */
export function toQoS(text: string): QoS {
  return text === "2" ? 2 : text === "1" ? 1 : 0;
}
