import { DeviceCard, type SendCommand } from "./device-card.ts";
import { type DeviceChange, DeviceRegistry } from "./device-registry.ts";
import { byId, oncePerFrame } from "./dom.ts";
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

  #apply({ kind, device }: DeviceChange): void {
    if (kind === "added") {
      this.#add(device.id);
    }
    if (kind === "removed") {
      this.#remove(device.id);
    }
    if (kind === "status") {
      this.#cards.get(device.id)?.updateStatus();
      this.#announce(`Device ${device.id} is ${device.status}`);
    }
    if (kind !== "metric") {
      this.#updateSummary();
    }
    this.#paint();
  }

  readonly #paint = oncePerFrame(() => {
    const nowSeconds = Date.now() / 1000;
    for (const card of this.#cards.values()) {
      card.paint(nowSeconds);
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
    this.#summary.textContent = devices.length === 0 ? "" : `${online} of ${devices.length} online`;
  }
}
