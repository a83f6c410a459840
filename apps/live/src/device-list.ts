import { DeviceCard, type SendCommand } from "./device-card.ts";
import { type DeviceChange, DeviceRegistry } from "./device-registry.ts";
import { byId, oncePerFrame } from "./dom.ts";
import { limits } from "./limits.ts";
import { shownText } from "./shown-text.ts";
import { onThemeChange } from "./theme.ts";

/** The devices section: a card for each device that has said something. */
export class DeviceList {
  readonly #registry = new DeviceRegistry();
  readonly #cards = new Map<string, DeviceCard>();
  readonly #list = byId("device-list", HTMLElement);
  readonly #placeholder = byId("device-placeholder", HTMLElement);
  readonly #summary = byId("devices-summary", HTMLElement);
  readonly #send: SendCommand;
  readonly #announce: (text: string) => void;
  #summaryIsStale = false;

  constructor(send: SendCommand, announce: (text: string) => void) {
    this.#send = send;
    this.#announce = announce;
    // The charts move on with the clock also where no value comes.
    setInterval(this.#paint, 1000);
    onThemeChange(() => {
      for (const card of this.#cards.values()) {
        card.recolor();
      }
    });
  }

  /** Takes a message of `devices/#`. */
  receive(topic: string, payload: string): void {
    for (const change of this.#registry.apply(topic, payload, Date.now() / 1000)) {
      this.#apply(change);
    }
  }

  #apply(change: DeviceChange): void {
    const { kind, device } = change;
    if (kind === "added") {
      this.#add(device.id);
    }
    if (kind === "removed") {
      this.#remove(device.id);
    }
    if (kind === "status") {
      this.#cards.get(device.id)?.updateStatus();
      this.#announce(`Device ${shownText(device.id, limits.shownName)} is ${device.status}`);
    }
    if (kind === "metric") {
      this.#cards.get(device.id)?.touch(change.name);
    } else {
      this.#summaryIsStale = true;
    }
    this.#paint();
  }

  readonly #paint = oncePerFrame(() => {
    const nowSeconds = Date.now() / 1000;
    const budget = { newCharts: limits.newChartsPerFrame };
    for (const card of this.#cards.values()) {
      card.paint(nowSeconds, budget);
    }
    if (this.#summaryIsStale) {
      this.#summaryIsStale = false;
      this.#updateSummary();
    }
    if (budget.newCharts <= 0) {
      this.#paint();
    }
  });

  #add(id: string): void {
    const device = this.#registry.devices.get(id);
    if (device === undefined) {
      return;
    }
    const card = new DeviceCard(device, this.#send);
    const next = [...this.#cards.keys()].sort().find((other) => id < other);
    this.#list.insertBefore(card.root, next === undefined ? null : (this.#cards.get(next)?.root ?? null));
    this.#cards.set(id, card);
    this.#placeholder.hidden = true;
  }

  #remove(id: string): void {
    this.#cards.get(id)?.destroy();
    this.#cards.delete(id);
    this.#placeholder.hidden = this.#cards.size > 0;
  }

  #updateSummary(): void {
    const devices = [...this.#registry.devices.values()];
    const online = devices.filter((device) => device.status === "online").length;
    const { leftOut } = this.#registry;
    const more = leftOut.size === 0 ? "" : ` · ${leftOut} more not shown`;
    this.#summary.textContent = devices.length === 0 ? "" : `${online} of ${devices.length} online${more}`;
  }
}
