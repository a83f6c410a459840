import { byId } from "./dom.ts";

/** Has screen readers say `text` when they are free. */
export function announce(text: string): void {
  byId("announcer", HTMLElement).textContent = text;
}
