import type { ClientConnection } from "./client-connection.ts";
import type { BrokerContext } from "./context.ts";
import type { BrokerHooks, MaybePromise } from "./hooks.ts";

/**
 * Calls a hook and goes on with its answer, undefined when it failed. While a promise is pending nothing further is
 * read from this client, and nobody else waits; when the client has gone meanwhile, the answer is dropped.
 */
export function awaitHook<Answer>(
  context: BrokerContext,
  connection: ClientConnection,
  name: keyof BrokerHooks,
  call: () => MaybePromise<Answer>,
  goOn: (answer: Answer | undefined) => void,
): void {
  const failed = (error: unknown): undefined => {
    context.metrics.hookFailures += 1;
    context.logger.error(`${name} failed: refused`, error);
  };
  let answer: MaybePromise<Answer> | undefined;
  try {
    answer = call();
  } catch (error) {
    answer = failed(error);
  }
  if (!(answer instanceof Promise)) {
    goOn(answer);
    return;
  }
  connection.link.pause();
  answer.catch(failed).then((settled) => {
    if (connection.protocol.end === undefined) {
      goOn(settled as Answer | undefined);
      connection.link.touch();
    }
    connection.link.resume();
  });
}
