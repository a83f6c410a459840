import type { Status, StatusDetail } from "@tidewire/client";
import { byId } from "./dom.ts";

/** The connection's state in the header, and the facts under it. */
export class ConnectionView {
  readonly #pill = byId("connection", HTMLElement);
  readonly #text = byId("connection-text", HTMLElement);
  readonly #session = byId("fact-session", HTMLElement);
  readonly #rate = byId("fact-rate", HTMLElement);
  readonly #announce: (text: string) => void;
  #received = 0;

  constructor(brokerUrl: string, clientId: string, announce: (text: string) => void) {
    this.#announce = announce;
    byId("fact-broker", HTMLElement).textContent = brokerUrl;
    byId("fact-client", HTMLElement).textContent = clientId;
    setInterval(() => {
      this.#rate.textContent = String(this.#received);
      this.#received = 0;
    }, 1000);
  }

  /** Counts a message for the rate. */
  count(): void {
    this.#received += 1;
  }

  update(status: Status, detail: StatusDetail): void {
    const text = statusText(status, detail);
    this.#pill.dataset.status = status;
    if (this.#text.textContent === text) {
      return;
    }
    this.#text.textContent = text;
    this.#announce(`Connection: ${text}`);
    if (status === "connected") {
      this.#session.textContent = detail.sessionPresent === true ? "resumed" : "new";
    }
  }
}

function statusText(status: Status, { error }: StatusDetail): string {
  if (status === "connecting") {
    return "Connecting";
  }
  if (status === "connected") {
    return "Connected";
  }
  if (status === "reconnecting") {
    return "Reconnecting";
  }
  return error === undefined ? "Closed" : `Closed: ${error.message}`;
}
