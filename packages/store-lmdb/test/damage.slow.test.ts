import { rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { copy, editData, expectRefusedOrWhole, makeSamples, PAGE_BYTES, randomly, type Samples } from "./damage.ts";
import { temporaryDirectory } from "./harness.ts";

/* As damage.test.ts, with every page in turn and many random changes. */

const root = temporaryDirectory();
const victim = join(root, "victim");
const seed = Number(process.env.SEED ?? Date.now() % 1_000_000);
const random = randomly(seed);
let samples: Samples;

beforeAll(async () => {
  samples = await makeSamples(root);
});

afterAll(() => rmSync(root, { recursive: true }));

test.each(["closed", "killed"] as const)(
  "a %s store with any page zeroed or filled with junk",
  { timeout: 600_000 },
  async (state) => {
    const pages = statSync(join(samples[state], "data.mdb")).size / PAGE_BYTES;
    let refused = 0;
    for (let page = 0; page < pages; page += 1) {
      for (const junk of [0, 0xff, 0x2f]) {
        editData(copy(samples[state], victim), (file) => {
          file.fill(junk, page * PAGE_BYTES, (page + 1) * PAGE_BYTES);
        });
        refused += (await expectRefusedOrWhole(victim, samples.contents, `page ${page}`)) === undefined ? 0 : 1;
      }
    }
    expect(refused).toBeGreaterThan(pages);
  },
);

test(`random changes (seed ${seed})`, { timeout: 600_000 }, async () => {
  for (let count = 0; count < 1500; count += 1) {
    const state = random(2) === 0 ? "closed" : "killed";
    const { size } = statSync(join(samples[state], "data.mdb"));
    // Half of them where a database keeps what leads to everything else: heads of pages, offsets, headers.
    const at = random(2) === 0 ? random(size) : random(size / PAGE_BYTES) * PAGE_BYTES + random(200);
    const length = random(3) === 0 ? 1 + random(64) : 1;
    const story = `${length} bytes at ${at} of ${state}, change ${count}`;
    editData(copy(samples[state], victim), (file) => {
      for (let index = at; index < Math.min(at + length, size); index += 1) {
        file[index]! ^= 1 + random(255);
      }
    });
    await expectRefusedOrWhole(victim, samples.contents, story);
  }
});
