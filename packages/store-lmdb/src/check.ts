import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { CLOCK_KEY, parseMoment } from "./clock.ts";
import { chooseSnapshot } from "./examine.ts";
import { classify, LmdbStoreError } from "./failure.ts";
import { DATA_FILE, type Damage, PageFile } from "./file/index.ts";
import { checkFormat, FORMAT_KEY } from "./format.ts";
import { bodyIdOf, sessionOf } from "./keys.ts";
import { readMark } from "./mark.ts";
import { checkOwner, OWNER_KEY } from "./owner.ts";
import { CONTENT_TABLES, type ContentTable, checkRecord } from "./record-check.ts";
import { RecordReader } from "./record-reader.ts";
import { StoreFile } from "./store-file.ts";

/** What `checkStore` found. */
export interface StoreReport {
  /** Sentences about what is damaged; empty when nothing is. No more than 100. */
  readonly problems: readonly string[];
  /** How many records can be read, by table. */
  readonly records: Readonly<Record<ContentTable, number>>;
}

/**
 * Reads everything that is in a store: each page, each record with its checksum, and what refers to what. Changes
 * nothing. What is found damaged is in the report. Rejects with an `LmdbStoreError` when the directory holds no store, or
 * one that a broker serves from.
 */
export async function checkStore({ directory }: { readonly directory: string }): Promise<StoreReport> {
  try {
    if (!existsSync(join(directory, DATA_FILE))) {
      throw new LmdbStoreError("store-failed", `there is no ${DATA_FILE} in ${directory}`);
    }
    const file = new PageFile(join(directory, DATA_FILE));
    try {
      return await check(directory, file);
    } finally {
      file.close();
    }
  } catch (error) {
    throw await classify(error, directory);
  }
}

async function check(directory: string, file: PageFile): Promise<StoreReport> {
  const problems: string[] = [];
  const records = Object.fromEntries(CONTENT_TABLES.map((table) => [table, 0])) as Record<ContentTable, number>;
  const report = (problem: string): void => {
    if (problems.length < MAX_PROBLEMS) {
      problems.push(problem);
    }
  };
  let chosen: ReturnType<typeof chooseSnapshot>;
  try {
    chosen = chooseSnapshot(file, readMark(directory));
  } catch (error) {
    report(messageOf(error));
    return { problems, records };
  }
  const onDamage = ({ page, table, problem }: Damage): void => report(`page ${page} (${table}) ${problem}`);
  const store = new StoreFile(file, chosen.snapshot, onDamage);
  store.each("meta", onDamage, (key, value) => {
    if (key.equals(OWNER_KEY)) {
      checkOwner(directory, value());
    } else if (key.equals(FORMAT_KEY)) {
      checkFormat(value());
    } else if (key.equals(CLOCK_KEY)) {
      try {
        parseMoment(value());
      } catch (error) {
        report(`the record of the time: ${messageOf(error)}`);
      }
    }
  });
  new Contents(store, onDamage, report, records).check();
  for (const table of store.tables.keys()) {
    if (table !== "meta" && !(CONTENT_TABLES as readonly string[]).includes(table) && table !== "references") {
      store.each(table, onDamage);
    }
  }
  store.walk.freePages({ onDamage });
  // The database itself knows only the newest transaction here, and would end over the damage that is known already.
  if (problems.length === 0 && !chosen.previous) {
    const ended = await readNatively(directory, [...store.tables.keys()]);
    if (ended !== undefined) {
      report(`the database cannot read it, although its pages are in order: ${ended}`);
    }
  }
  return { problems, records };
}

/** The records of all tables, and what refers to what. */
class Contents {
  readonly #store: StoreFile;
  readonly #onDamage: (damage: Damage) => void;
  readonly #report: (problem: string) => void;
  readonly #records: Record<ContentTable, number>;
  readonly #reader = new RecordReader();
  /** By body: how many records refer to it. */
  readonly #references = new Map<number, number>();

  constructor(
    store: StoreFile,
    onDamage: (damage: Damage) => void,
    report: (problem: string) => void,
    records: Record<ContentTable, number>,
  ) {
    this.#store = store;
    this.#onDamage = onDamage;
    this.#report = report;
    this.#records = records;
  }

  check(): void {
    const bodies = new Set<number>();
    for (const table of CONTENT_TABLES) {
      this.#store.each(table, this.#onDamage, (key, value) => {
        try {
          const bodyId = checkRecord(table, this.#reader, key, value());
          this.#records[table] += 1;
          if (bodyId !== undefined) {
            this.#references.set(bodyId, (this.#references.get(bodyId) ?? 0) + 1);
          }
          if (table === "bodies") {
            bodies.add(bodyIdOf(key));
          }
        } catch (error) {
          this.#report(`a record in ${table} (session ${sessionOf(key)}): ${messageOf(error)}`);
        }
      });
    }
    this.#checkReferences(bodies);
  }

  #checkReferences(bodies: ReadonlySet<number>): void {
    for (const [bodyId, count] of this.#references) {
      if (!bodies.has(bodyId)) {
        this.#report(`publication ${bodyId} is missing, and ${count} records refer to it`);
      }
    }
    this.#store.each("references", this.#onDamage, (key, value) => {
      const bodyId = bodyIdOf(key);
      const found = this.#references.get(bodyId) ?? 0;
      const counted = this.#reader.tryStart(value()) ? this.#reader.u32() : undefined;
      // More than there are only means that it is kept for longer.
      if (counted === undefined || counted < found) {
        this.#report(`publication ${bodyId} counts ${counted ?? "no"} references, and ${found} records refer to it`);
      }
    });
  }
}

/** Undefined when the native library reads everything; else how its process ended. */
function readNatively(directory: string, tables: readonly string[]): Promise<string | undefined> {
  const program = fileURLToPath(new URL("../bin/read-natively.js", import.meta.url));
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [program, directory, ...tables], { stdio: ["ignore", "ignore", "pipe"] });
    let said = "";
    child.stderr.on("data", (chunk: Buffer) => {
      said = (said + chunk.toString()).slice(-MAX_SAID);
    });
    child.once("error", (error) => resolve(error.message));
    child.once("close", (code, signal) => {
      resolve(code === 0 ? undefined : `its process ended with ${signal ?? `code ${code}`}. ${said.trim()}`);
    });
  });
}

function messageOf(error: unknown): string {
  if (error instanceof LmdbStoreError && error.code !== "store-corrupt") {
    throw error;
  }
  return error instanceof Error ? error.message : String(error);
}

const MAX_PROBLEMS = 100;
const MAX_SAID = 500;
