import { join } from "node:path";
import { runConformance } from "@tidewire/conformance";
import { storeCases } from "@tidewire/conformance/store";
import { vitestApi } from "@tidewire/conformance/vitest";
import { afterAll } from "vitest";
import { LmdbHarness, SmallDisk, temporaryDirectory } from "./harness.ts";

const teardown = (harness: LmdbHarness): Promise<void> => harness.remove();

for (const fsync of ["always", "interval", "os"] as const) {
  const setup = (): LmdbHarness => new LmdbHarness(temporaryDirectory(), { fsync });
  const target = { name: `LMDB, fsync ${fsync}`, capabilities: ["crash"], setup, teardown };
  runConformance(storeCases, target, { api: vitestApi });
}

const disk = new SmallDisk(24);
let count = 0;

class SmallDiskHarness extends LmdbHarness {
  override async fillDisk(): Promise<void> {
    disk.fill();
  }

  override async freeDisk(): Promise<void> {
    disk.free();
  }
}

runConformance<SmallDiskHarness>(
  storeCases.filter(({ needs }) => needs?.includes("full-disk")),
  {
    name: "LMDB on a small disk",
    capabilities: disk.available ? ["crash", "full-disk"] : [],
    setup: () => {
      count += 1;
      return new SmallDiskHarness(join(disk.path, `${count}`), { limits: { reserveBytes: 0 } });
    },
    teardown: async (harness) => {
      disk.free();
      await teardown(harness);
    },
  },
  { api: vitestApi },
);

afterAll(() => disk.remove());
