/**
 * Resolves with the first SIGINT or SIGTERM. The second one ends the process at once, as if nobody listened: whoever
 * is tired of waiting may press Ctrl-C again.
 */
export function stopSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    const stop = (signal: NodeJS.Signals): void => {
      for (const name of SIGNALS) {
        process.off(name, stop);
      }
      resolve(signal);
    };
    for (const name of SIGNALS) {
      process.on(name, stop);
    }
  });
}

const SIGNALS: readonly NodeJS.Signals[] = ["SIGINT", "SIGTERM"];
