import type { Alert } from "./alert.ts";
import { byId } from "./dom.ts";

/** Browser notifications: asked for by a button, shown for each alert. */
export class Notifier {
  readonly #button = byId("notify-button", HTMLButtonElement);
  readonly #text = byId("notify-text", HTMLElement);
  #worker: Promise<ServiceWorkerRegistration | undefined> | undefined;

  constructor() {
    this.#button.addEventListener("click", () => void this.#ask());
    this.#update();
  }

  async notify(alert: Alert): Promise<void> {
    const worker = await this.#worker;
    if (!("Notification" in window) || Notification.permission !== "granted") {
      return;
    }
    // The tag is one for each alert: a second tab that shows it too replaces this one instead of adding to it.
    const options = { body: alert.text, tag: alert.id, icon: "icon.svg", timestamp: alert.at };
    const title = `Alert from ${alert.device}`;
    if (worker === undefined) {
      new Notification(title, options);
    } else {
      await worker.showNotification(title, options);
    }
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
    if (permission === "granted") {
      this.#worker ??= startWorker();
    }
  }
}

/** Phones show notifications only through a service worker; other browsers do without one where there is none. */
async function startWorker(): Promise<ServiceWorkerRegistration | undefined> {
  try {
    await navigator.serviceWorker.register("notifications.js");
    return await navigator.serviceWorker.ready;
  } catch {
    return undefined;
  }
}

const EXPLANATIONS: Readonly<Record<NotificationPermission | "unsupported", string>> = {
  default: "Shows alerts as browser notifications, also while this tab is hidden.",
  granted: "Each alert is shown as a browser notification.",
  denied: "Notifications are blocked: allow them for this page in the browser's settings.",
  unsupported: "This browser has no notifications here; a phone needs https for them.",
};
