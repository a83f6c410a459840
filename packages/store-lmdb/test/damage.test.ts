import { mkdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type LmdbStoreError, lmdbStore } from "@tidewire/store-lmdb";
import { open as openLmdb } from "lmdb";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import {
  copy,
  editData,
  expectRefusedOrWhole,
  makeSamples,
  PAGE_BYTES,
  randomly,
  type Samples,
  session,
} from "./damage.ts";
import { temporaryDirectory } from "./harness.ts";

/* "A damaged file handed to a native library": docs/durability.md, "Damage". */

const root = temporaryDirectory();
const victim = join(root, "victim");
const seed = Number(process.env.SEED ?? Date.now() % 1_000_000);
const random = randomly(seed);
let samples: Samples;
vi.setConfig({ testTimeout: 120_000 });

beforeAll(async () => {
  samples = await makeSamples(root);
});

afterAll(() => rmSync(root, { recursive: true }));

describe.each(["closed", "killed"] as const)("a %s store", (state) => {
  test(`cut off at any length is refused, or has everything (seed ${seed})`, async () => {
    const { size } = statSync(join(samples[state], "data.mdb"));
    const lengths = [0, 1, 100, 167, 168, 4095, PAGE_BYTES, PAGE_BYTES + 100, 2 * PAGE_BYTES, size - 1];
    for (let count = 0; count < 10; count += 1) {
      lengths.push(random(size));
    }
    for (const length of lengths) {
      truncateSync(join(copy(samples[state], victim), "data.mdb"), length);
      await expectRefusedOrWhole(victim, samples.contents, `cut to ${length}`);
    }
  });

  test(`with a zeroed page is refused, or has everything (seed ${seed})`, async () => {
    const pages = statSync(join(samples[state], "data.mdb")).size / PAGE_BYTES;
    const refusals = new Set<string | undefined>();
    for (const page of [0, 1, ...Array.from({ length: 15 }, () => random(pages))]) {
      editData(copy(samples[state], victim), (file) => {
        file.fill(0, page * PAGE_BYTES, (page + 1) * PAGE_BYTES);
      });
      refusals.add(await expectRefusedOrWhole(victim, samples.contents, `page ${page} zeroed`));
    }
    expect(refusals.size).toBeGreaterThan(2);
  });

  test(`with flipped bits is refused, or has everything (seed ${seed})`, async () => {
    const { size } = statSync(join(samples[state], "data.mdb"));
    for (let count = 0; count < 20; count += 1) {
      const at = random(size);
      const bit = random(8);
      editData(copy(samples[state], victim), (file) => {
        file[at]! ^= 1 << bit;
      });
      await expectRefusedOrWhole(victim, samples.contents, `bit ${bit} of byte ${at} flipped`);
    }
  });

  test("without its database, or with an empty one, does not begin anew", async () => {
    rmSync(join(copy(samples[state], victim), "data.mdb"));
    expect(await failure()).toMatchObject({ code: "store-corrupt", message: expect.stringContaining("missing") });
    writeFileSync(join(copy(samples[state], victim), "data.mdb"), "");
    expect(await failure()).toMatchObject({ code: "store-corrupt", message: expect.stringContaining("empty") });
    rmSync(join(victim, "lock.mdb"));
    rmSync(join(victim, "durable"));
    expect(await failure()).toMatchObject({ code: "store-corrupt", message: expect.stringContaining("empty") });
  });

  test("with the database of another moment or of another store is refused", async () => {
    const other = join(root, "other");
    rmSync(other, { recursive: true, force: true });
    await (await opened(other)).close();
    copyFile(other, copy(samples[state], victim), "data.mdb");
    expect(await failure()).toMatchObject({ code: "store-corrupt", message: expect.stringContaining("transaction") });
  });

  test("goes on without its lock file or its mark, or with junk in the lock file", async () => {
    for (const lost of ["lock.mdb", ...(state === "closed" ? ["durable"] : [])]) {
      rmSync(join(copy(samples[state], victim), lost));
      expect(await expectRefusedOrWhole(victim, samples.contents, lost), lost).toBeUndefined();
    }
    for (const junk of [Buffer.alloc(10, 7), Buffer.alloc(8272, 0xff)]) {
      writeFileSync(join(copy(samples[state], victim), "lock.mdb"), junk);
      expect(await expectRefusedOrWhole(victim, samples.contents, "junk in lock.mdb")).toBeUndefined();
    }
  });
});

test("two stores of as many transactions whose files are swapped are told apart", async () => {
  const twins = [join(root, "twin"), join(root, "other twin")] as const;
  for (const [index, twin] of twins.entries()) {
    const store = await opened(twin);
    store.putSession(session(`${index}`));
    await store.commit();
    await store.close();
  }
  copyFile(twins[0], copy(twins[1], victim), "data.mdb");
  expect(await failure()).toMatchObject({ code: "store-corrupt", message: expect.stringMatching(/not of one moment/) });
});

test("two copies of one store that went different ways for as many transactions are told apart", async () => {
  const ways = [join(root, "way"), join(root, "other way")] as const;
  for (const [index, way] of ways.entries()) {
    const store = await opened(copy(samples.closed, way));
    for (let number = 0; number <= index * 200; number += 1) {
      store.putSession(session(`client-${number}`));
    }
    await store.commit();
    await store.close();
  }
  copyFile(ways[0], copy(ways[1], victim), "data.mdb");
  expect(await failure()).toMatchObject({ code: "store-corrupt", message: expect.stringMatching(/not of one moment/) });
});

test("a lock file alone, or a mark alone, does not begin anew", async () => {
  for (const file of ["lock.mdb", "durable"]) {
    rmSync(victim, { recursive: true, force: true });
    mkdirSync(victim);
    copyFile(samples.closed, victim, file);
    expect(await failure(), file).toMatchObject({ code: "store-corrupt", message: expect.stringContaining(file) });
  }
});

test("a store that was cut off while it was made begins anew", async () => {
  const fresh = join(root, "fresh");
  await (await opened(fresh)).close();
  // Nothing was kept while the mark says "new".
  const { markNew } = await import("../src/mark.ts");
  for (const length of [0, 100, PAGE_BYTES, PAGE_BYTES + 10]) {
    rmSync(join(copy(fresh, victim), "durable"));
    markNew(victim);
    truncateSync(join(victim, "data.mdb"), length);
    await (await opened(victim)).close();
  }
});

test("a database of another program is left as it is", async () => {
  rmSync(victim, { recursive: true, force: true });
  const theirs = openLmdb<Buffer, Uint8Array>({
    path: victim,
    noSubdir: false,
    encoding: "binary",
    overlappingSync: false,
  });
  theirs.putSync("key" as never, Buffer.from("value"));
  await theirs.close();
  const before = readFileSync(join(victim, "data.mdb"));
  expect(await failure()).toMatchObject({ code: "store-corrupt", message: expect.stringContaining("another program") });
  expect(readFileSync(join(victim, "data.mdb"))).toEqual(before);
});

async function opened(directory: string) {
  const store = lmdbStore({ directory });
  await store.open();
  return store;
}

async function failure(): Promise<LmdbStoreError | undefined> {
  const store = lmdbStore({ directory: victim });
  try {
    await store.open();
  } catch (error) {
    return error as LmdbStoreError;
  }
  await store.close();
  return undefined;
}

function copyFile(from: string, to: string, file: string): void {
  writeFileSync(join(to, file), readFileSync(join(from, file)));
}
