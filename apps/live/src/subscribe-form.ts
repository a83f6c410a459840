import type { Client, Message, Subscription } from "@tidewire/client";
import { byId, element } from "./dom.ts";
import { errorText } from "./error-text.ts";
import { limits } from "./limits.ts";
import { loadSubscriptions, saveSubscriptions } from "./saved-subscriptions.ts";

/** The form that subscribes, and the list of what it subscribed to. */
export class SubscribeForm {
  readonly #client: Client;
  readonly #onMessage: (message: Message) => void;
  readonly #form = byId("subscribe-form", HTMLFormElement);
  readonly #filter = byId("subscribe-filter", HTMLInputElement);
  readonly #qos = byId("subscribe-qos", HTMLSelectElement);
  readonly #status = byId("subscribe-status", HTMLElement);
  readonly #list = byId("subscription-list", HTMLUListElement);
  readonly #subscribed = new Map<string, QoS>();

  constructor(client: Client, onMessage: (message: Message) => void) {
    this.#client = client;
    this.#onMessage = onMessage;
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.#subscribe(this.#filter.value, toQoS(this.#qos.value));
    });
  }

  /** Subscribes again to what was subscribed before the page was reloaded. */
  restore(): void {
    for (const [filter, qos] of loadSubscriptions()) {
      void this.#subscribe(filter, qos);
    }
  }

  async #subscribe(filter: string, qos: QoS): Promise<void> {
    if (this.#subscribed.has(filter)) {
      return this.#say(`${filter} is subscribed already.`, "error");
    }
    if (this.#subscribed.size >= limits.subscriptions) {
      return this.#say("Remove a subscription first.", "error");
    }
    this.#remember(filter, qos);
    this.#say(`Subscribing to ${filter} …`);
    try {
      const subscription = await this.#client.subscribe(filter, { qos, onMessage: this.#onMessage });
      this.#list.append(this.#chip(filter, subscription));
      this.#say(`Subscribed to ${filter} with QoS ${subscription.granted[0]}.`, "success");
    } catch (error) {
      this.#forget(filter);
      this.#say(errorText(error), "error");
    }
  }

  #chip(filter: string, subscription: Subscription): HTMLElement {
    const remove = element("button", { type: "button", "aria-label": `Unsubscribe from ${filter}` }, "×");
    const chip = element("li", { class: "chip" }, element("code", {}, filter), remove);
    remove.addEventListener("click", () => {
      chip.remove();
      this.#forget(filter);
      this.#filter.focus();
      subscription.unsubscribe().then(
        () => this.#say(`Unsubscribed from ${filter}.`),
        (error: unknown) => this.#say(errorText(error), "error"),
      );
    });
    return chip;
  }

  #remember(filter: string, qos: QoS): void {
    this.#subscribed.set(filter, qos);
    saveSubscriptions(this.#subscribed);
  }

  #forget(filter: string): void {
    this.#subscribed.delete(filter);
    saveSubscriptions(this.#subscribed);
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
