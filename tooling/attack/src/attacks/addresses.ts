import type { Attack } from "../attack.ts";
import { codeText } from "../cases.ts";
import type { Context } from "../context.ts";
import { ONE_TRANSPORT } from "../variant.ts";

/** Another address than the one that the canaries have. */
const STRANGER = "127.0.0.2";
const ONE = { ...ONE_TRANSPORT, stores: ["memory"] } as const;

export const addresses: readonly Attack[] = [
  {
    id: "49.5",
    title: "wrong passwords without end from one address",
    expected: "its CONNECTs are refused with 0x9F; other addresses get in",
    on: { ...ONE, access: [true] },
    server: { arguments: ["--max-failures-per-minute-per-address", "30"] },
    async run(t) {
      const codes = await connects(t, 60, { username: "alice", password: Buffer.from("wrong") });
      const last = codes.at(-1);
      t.check(last === overload(t) || last === undefined, `the last of 60 gets ${codeText(last)}`);
      const peer = await t.peer();
      t.check((await t.connect(peer))?.reasonCode === 0, "another address does not get in");
      await t.logs(/127\.0\.0\.2/, "which address was refused");
    },
  },
  {
    id: "49.6",
    title: "CONNECTs of one address as fast as they go",
    expected: "refused with 0x9F above the rate; other addresses get in",
    on: ONE,
    server: { arguments: ["--max-connects-per-second-per-address", "20"] },
    async run(t) {
      const codes = await connects(t, 200, { username: "mallory", password: Buffer.from("mallory-password") });
      const refused = codes.filter((code) => code !== 0).length;
      t.check(refused > 50, `${refused} of 200 were refused`);
      t.check(
        codes.every((code) => code === 0 || code === undefined || code === overload(t)),
        `refused with ${[...new Set(codes)].map(codeText).join(", ")}`,
      );
      const peer = await t.peer();
      t.check((await t.connect(peer))?.reasonCode === 0, "another address does not get in");
    },
  },
  {
    id: "49.7",
    title: "more clients than there may be",
    expected: "CONNACK 0x97 or 0x9F, return code 3: nobody is closed unread",
    on: ONE,
    server: { arguments: ["--max-connections", "30"] },
    async run(t) {
      const codes: (number | undefined)[] = [];
      for (let count = 0; count < 40; count += 1) {
        const peer = await t.peer();
        codes.push((await t.connect(peer))?.reasonCode);
      }
      const [first, last] = [codes[0], codes.at(-1)];
      t.check(first === 0, `the first gets ${codeText(first)}`);
      const right = t.variant.version === 5 ? [0x97, 0x9f] : [3];
      t.check(last !== undefined && right.includes(last), `the last gets ${codeText(last)}`);
      await t.logs(/connections|clients/i, "that there are too many");
    },
  },
  {
    id: "47.5",
    title: "sessions of one user without end",
    expected: "0x97 above the limit; others get theirs",
    on: { ...ONE, access: [true] },
    server: { arguments: ["--max-sessions-per-user", "20"] },
    async run(t) {
      const properties = t.variant.version === 5 ? { sessionExpiryInterval: 600 } : undefined;
      let last: number | undefined;
      for (let count = 0; count < 25; count += 1) {
        const peer = await t.peer();
        last = (await t.connect(peer, { clientId: `one-of-many-${count}`, cleanStart: false, properties }))?.reasonCode;
        peer.destroy();
      }
      t.check(last === (t.variant.version === 5 ? 0x97 : 3), `the last gets ${codeText(last)}`);
      const other = await t.peer();
      const fields = { clientId: "another", cleanStart: false, properties };
      t.check((await t.connect(other, fields, "bob"))?.reasonCode === 0, "another user does not get a session");
    },
  },
];

function overload({ variant }: Context): number {
  return variant.version === 5 ? 0x9f : 3;
}

/** Reason codes of so many CONNECTs from another address; undefined where none came. */
async function connects(
  t: Context,
  count: number,
  who: { readonly username: string; readonly password: Buffer },
): Promise<readonly (number | undefined)[]> {
  const codes: (number | undefined)[] = [];
  for (let from = 0; from < count; from += 20) {
    const answers = Array.from({ length: 20 }, async (_, index) => {
      try {
        const peer = await t.peer({ localAddress: STRANGER });
        const connack = await peer.connect({ clientId: `stranger-${from + index}`, ...who }, 10_000);
        peer.destroy();
        return connack?.reasonCode;
      } catch {
        return undefined;
      }
    });
    codes.push(...(await Promise.all(answers)));
  }
  return codes;
}
