/** Polls until the condition holds; fails with `what` after `limitMs`. */
export async function until(what: string, condition: () => boolean, limitMs = 30_000): Promise<void> {
  const limit = Date.now() + limitMs;
  while (!condition()) {
    if (Date.now() > limit) {
      throw new Error(`not within ${limitMs} ms: ${what}`);
    }
    await sleep(10);
  }
}

export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
