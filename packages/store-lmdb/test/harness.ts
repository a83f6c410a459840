import { execFileSync } from "node:child_process";
import { cpSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { StoreHarness, StoreUnderTest } from "@tidewire/conformance/store";
import { type LmdbStoreOptions, lmdbStore } from "@tidewire/store-lmdb";

/** A new directory; whoever asks for it removes it. */
export function temporaryDirectory(): string {
  return mkdtempSync(join(tmpdir(), "tidewire-store-"));
}

/** A store in a directory; after a crash it goes on with a copy of the files as they were at that moment. */
export class LmdbHarness implements StoreHarness {
  readonly #options: Omit<LmdbStoreOptions, "directory">;
  #directory: string;
  #open: StoreUnderTest | undefined;

  constructor(directory: string, options: Omit<LmdbStoreOptions, "directory"> = {}) {
    this.#directory = directory;
    this.#options = options;
  }

  create(): StoreUnderTest {
    this.#open = lmdbStore({ directory: this.#directory, ...this.#options });
    return this.#open;
  }

  async crash(): Promise<void> {
    const crashed = temporaryDirectory();
    cpSync(this.#directory, crashed, { recursive: true });
    // What the abandoned store still writes goes to the old directory.
    await this.remove();
    this.#directory = crashed;
  }

  async fillDisk(): Promise<void> {
    throw new Error("this harness has a disk like any other");
  }

  async freeDisk(): Promise<void> {
    throw new Error("this harness has a disk like any other");
  }

  async remove(): Promise<void> {
    await this.#open?.close().catch(() => {});
    rmSync(this.#directory, { recursive: true, force: true });
  }
}

/** A small file system in memory. Needs the right to mount; `available` says whether there is. */
export class SmallDisk {
  readonly path: string = temporaryDirectory();
  readonly #ballast: string = join(this.path, "ballast");
  readonly available: boolean;

  constructor(megabytes: number) {
    this.available = run("mount", "-t", "tmpfs", "-o", `size=${megabytes}m`, "tmpfs", this.path);
  }

  fill(): void {
    const chunk = Buffer.alloc(64 * 1024);
    try {
      for (;;) {
        writeFileSync(this.#ballast, chunk, { flag: "a" });
      }
    } catch {
      // It is full now.
    }
  }

  free(): void {
    rmSync(this.#ballast, { force: true });
  }

  remove(): void {
    if (this.available) {
      run("umount", this.path);
    }
    rmSync(this.path, { recursive: true, force: true });
  }
}

function run(command: string, ...parameters: string[]): boolean {
  try {
    execFileSync(command, parameters, { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}
