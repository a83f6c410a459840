import type { Properties, Will } from "@tidewire/codec";
import type { Authority, ClientInfo } from "../hooks/index.ts";
import { Encodings, IncomingPublication } from "../messages/index.ts";
import type { MetricsRecorder } from "../metrics/index.ts";
import type { Clock } from "../time/index.ts";
import type { Publisher } from "./publisher.ts";

/** What the publication of wills needs of a broker. */
export interface WillNeeds {
  readonly authority: Pick<Authority, "publish">;
  readonly clock: Pick<Clock, "nowMs">;
  readonly metrics: MetricsRecorder;
  readonly publisher: Publisher;
  /** Told of what failed after the hook had answered. */
  readonly onFailure: (error: unknown) => void;
}

/** Publishes a will as its client would have, if it still may; also after a restart. */
export function publishWill(needs: WillNeeds, will: Will, client: ClientInfo): void {
  const { topic, payload, qos, retain } = will;
  const properties = withoutDelay(will.properties);
  const nowMs = needs.clock.nowMs();
  const publication = new IncomingPublication(
    topic,
    payload,
    qos,
    retain,
    properties,
    client.clientId,
    nowMs,
    client.username,
  );
  const verdict = needs.authority.publish(client, publication);
  if (typeof verdict === "number") {
    publishAllowed(needs, publication, verdict);
  } else {
    verdict.then((code) => publishAllowed(needs, publication, code)).catch(needs.onFailure);
  }
}

function publishAllowed({ metrics, publisher }: WillNeeds, publication: IncomingPublication, verdict: number): void {
  if (verdict === 0 && publisher.publish(publication, new Encodings(publication), undefined) >= 0) {
    metrics.willsPublished += 1;
  } else {
    metrics.publishRefused += 1;
  }
}

/** The Will Delay Interval is for the server alone. */
function withoutDelay(properties: Properties | undefined): Properties | undefined {
  if (properties?.willDelayInterval === undefined) {
    return properties;
  }
  const { willDelayInterval: _, ...published } = properties;
  return published;
}
