import type { Client } from "@tidewire/client";
import { byId } from "./dom.ts";
import { errorText } from "./error-text.ts";
import { toQoS } from "./subscribe-form.ts";

/** Wires the form that publishes a message. */
export function startPublishForm(client: Client): void {
  const form = byId("publish-form", HTMLFormElement);
  const status = byId("publish-status", HTMLElement);
  const say = (text: string, kind: "" | "success" | "error" = ""): void => {
    status.textContent = text;
    status.dataset.kind = kind;
  };
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const fields = new FormData(form);
    const topic = String(fields.get("topic"));
    const qos = toQoS(String(fields.get("qos")));
    const startedMs = performance.now();
    say(client.connected ? "Publishing …" : "Waiting for the connection …");
    try {
      const payload = String(fields.get("payload"));
      const { reasonCode } = await client.publish(topic, payload, { qos, retain: fields.has("retain") });
      const elapsedMs = Math.max(1, Math.round(performance.now() - startedMs));
      if (qos === 0) {
        say("Sent; QoS 0 is not acknowledged.", "success");
      } else if (reasonCode === NO_MATCHING_SUBSCRIBERS) {
        say(`Acknowledged after ${elapsedMs} ms; nobody is subscribed.`, "success");
      } else {
        say(`Acknowledged after ${elapsedMs} ms.`, "success");
      }
    } catch (error) {
      say(errorText(error), "error");
    }
  });
}

const NO_MATCHING_SUBSCRIBERS = 0x10;
