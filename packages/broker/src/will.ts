import type { Properties, Will } from "@tidewire/codec";
import type { BrokerSession } from "./broker-session.ts";
import type { BrokerContext } from "./context.ts";
import { Encodings } from "./encodings.ts";
import { type ClientInfo, verdictCode } from "./hooks.ts";
import { IncomingPublication } from "./publication.ts";

/** Publishes a will as its client would have, if it may. */
export function publishWill(context: BrokerContext, session: BrokerSession, will: Will): void {
  const { topic, payload, qos, retain } = will;
  const publication = new IncomingPublication(
    topic,
    payload,
    qos,
    retain,
    withoutDelay(will.properties),
    session.clientId,
    session.nowMs(),
  );
  authorize(context, session.client, publication, () => {
    if (!context.publisher.accepts(publication)) {
      context.metrics.publishRefused += 1;
      return;
    }
    context.metrics.willsPublished += 1;
    context.publisher.publish(publication, new Encodings(publication), undefined);
    context.storage.commitSoon();
  });
}

/** After a restart there is no connection to judge by: the will was accepted with its CONNECT. */
function authorize(
  { hooks, logger, metrics }: BrokerContext,
  client: ClientInfo | undefined,
  publication: IncomingPublication,
  allowed: () => void,
): void {
  if (hooks.authorizePublish === undefined || client === undefined) {
    allowed();
    return;
  }
  const failed = (error: unknown): void => {
    metrics.hookFailures += 1;
    logger.error("authorizePublish failed: the will is not published", error);
  };
  try {
    const verdict = hooks.authorizePublish(client, publication);
    if (verdict instanceof Promise) {
      verdict.then((later) => verdictCode(later) === 0 && allowed()).catch(failed);
    } else if (verdictCode(verdict) === 0) {
      allowed();
    }
  } catch (error) {
    failed(error);
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
