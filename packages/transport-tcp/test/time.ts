/** Lets real time pass; 0 is one turn of the event loop. */
export function pass(ms: number): Promise<void> {
  return new Promise((resolve) => {
    if (ms === 0) {
      setImmediate(resolve);
    } else {
      setTimeout(resolve, ms);
    }
  });
}
