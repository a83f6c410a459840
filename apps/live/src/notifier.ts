import type { Alert } from "./alert.ts";
import { byId } from "./dom.ts";

/** Browser notifications: asked for by a button, shown for each alert. */
export class Notifier {
  readonly #button = byId("notify-button", HTMLButtonElement);
  readonly #text = byId("notify-text", HTMLElement);
  #worker: ServiceWorkerRegistration | undefined;

  constructor() {
    this.#button.addEventListener("click", () => void this.#ask());
    this.#update();
  }

  notify(alert: Alert): void {
    if (!("Notification" in window) || Notification.permission !== "granted") return;
    // The tag is one for each alert: a second tab that shows it too replaces this one instead of adding to it.
    const options = { body: alert.text, tag: alert.id, icon: "icon.svg", timestamp: alert.at };
    const title = `Alert from ${alert.device}`;
    // Phones show notifications only through a service worker.
    if (this.#worker !== undefined) void this.#worker.showNotification(title, options);
    else new Notification(title, options);
  }

  async #ask(): Promise<void> {
    await Notification.requestPermission();
    this.#update();
  }

  #update(): void {
    const permission = "Notification" in window ? Notification.permission : "unsupported";
    this.#button.disabled = permission !== "default";
    this.#button.textContent = permission === "granted" ? "Notifications on" : "Notify me";
    this.#text.textContent = EXPLANATIONS[permission];
    if (permission === "granted") void this.#startWorker();
  }

  async #startWorker(): Promise<void> {
    if (!("serviceWorker" in navigator)) return;
    await navigator.serviceWorker.register("notifications.js");
    this.#worker = await navigator.serviceWorker.ready;
  }
}

const EXPLANATIONS: Readonly<Record<NotificationPermission | "unsupported", string>> = {
  default: "Shows alerts as browser notifications, also while this tab is hidden.",
  granted: "Each alert is shown as a browser notification.",
  denied: "Notifications are blocked: allow them for this page in the browser's settings.",
  unsupported: "This browser has no notifications here; a phone needs https for them.",
};
