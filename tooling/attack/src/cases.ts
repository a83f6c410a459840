import type { Context } from "./context.ts";

/** Bytes by the name of what is wrong with them. */
export type Cases = Readonly<Record<string, Uint8Array>>;

/** Each as the first bytes of a connection: it must end, without one of `codes` where they are given. */
export async function refusedFirst(t: Context, cases: Cases, codes?: readonly number[], limitMs = 5000): Promise<void> {
  await each(cases, async (name, bytes) => {
    const { closed, reasonCode } = await t.sendFirst(bytes, limitMs);
    t.check(closed, `${name}: the connection stays open`);
    t.check(reasonCode !== 0, `${name}: it is let in`);
    if (codes !== undefined) {
      t.check(reasonCode !== undefined && codes.includes(reasonCode), `${name}: answered by ${codeText(reasonCode)}`);
    }
  });
}

/**
 * Each from a client that was let in: its connection must end, in MQTT 5 with DISCONNECT and one of `codes`, and the log
 * must say why.
 */
export async function endsConnection(
  t: Context,
  cases: Cases,
  codes: readonly number[],
  limitMs = 5000,
): Promise<void> {
  const ids: string[] = [];
  await each(cases, async (name, bytes) => {
    const clientId = t.clientId();
    ids.push(clientId);
    const { closed, reasonCode } = await t.sendConnected(bytes, { clientId, limitMs });
    t.check(closed, `${name}: the connection stays open`);
    if (t.variant.version === 5) {
      t.check(reasonCode !== undefined && codes.includes(reasonCode), `${name}: DISCONNECT ${codeText(reasonCode)}`);
    }
  });
  t.note(`${ids.length} connections ended`);
  await t.logs(new RegExp(ids.map((id) => `"${id}"`).join("|")), "why a client was thrown out");
}

/** A few at a time, so that the tool has no more than a few dozen connections open. */
export async function each<T>(
  items: Readonly<Record<string, T>>,
  work: (name: string, item: T) => Promise<void>,
  atOnce = 16,
): Promise<void> {
  const left = Object.entries(items);
  const worker = async () => {
    for (let next = left.shift(); next !== undefined; next = left.shift()) {
      await work(...next);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
}

export function codeText(reasonCode: number | undefined): string {
  return reasonCode === undefined ? "none" : `0x${reasonCode.toString(16).padStart(2, "0")}`;
}
