import { join } from "node:path";
import { CLOCK_KEY, parseMoment } from "./clock.ts";
import { openTables, type Root, type Table, type Tables, transactUnforced } from "./database.ts";
import { chooseSnapshot } from "./examine.ts";
import { classify, damaged, LmdbStoreError } from "./failure.ts";
import { DATA_FILE, type Damage, LeafScan, PageFile, type Snapshot } from "./file/index.ts";
import { checkFormat, FORMAT_KEY } from "./format.ts";
import { installDatabase } from "./install.ts";
import { bodyIdOf, bodyKey, sessionOf } from "./keys.ts";
import { readMark } from "./mark.ts";
import { checkOwner, OWNER_KEY } from "./owner.ts";
import { CONTENT_TABLES, type ContentTable, checkRecord, tableOf } from "./record-check.ts";
import { RecordReader } from "./record-reader.ts";
import { RecordWriter } from "./record-writer.ts";
import { StoreFile } from "./store-file.ts";

export interface RepairOptions {
  /** The damaged store's directory. Nothing in it is changed. */
  readonly directory: string;
  /** Directory for what can be saved; made if it is not there. It must not hold a store yet. */
  readonly target: string;
}

/** What became of the records of one table. */
export interface SavedRecords {
  readonly saved: number;
  /** Undefined when the damage leaves open how many there were. */
  readonly lost: number | undefined;
}

export interface RepairReport {
  /** Sentences about what was damaged; no more than 100. */
  readonly problems: readonly string[];
  readonly records: Readonly<Record<ContentTable, SavedRecords>>;
}

/**
 * Puts what can still be read of a damaged store into a new one, which a broker can start on, and says what was lost.
 * The file is read without the database, page by page; pages that nothing leads to any more are looked through as well,
 * since each record says what it is. A message whose session is lost goes with it. Rejects with an `LmdbStoreError`
 * when nothing can be read.
 */
export async function repairStore({ directory, target }: RepairOptions): Promise<RepairReport> {
  try {
    const file = new PageFile(join(directory, DATA_FILE));
    try {
      const repair = new Repair(directory, file);
      await installDatabase(target, (partial) => repair.write(partial));
      return repair.report();
    } finally {
      file.close();
    }
  } catch (error) {
    throw await classify(error, directory);
  }
}

class Repair {
  readonly #file: PageFile;
  readonly #store: StoreFile;
  readonly #snapshot: Snapshot;
  readonly #problems: string[] = [];
  readonly #reader = new RecordReader();
  readonly #saved = new Map<ContentTable, number>();
  /** The store's clock, so that times keep their meaning. */
  #meta: { readonly key: Buffer; readonly value: Buffer }[] = [];

  constructor(directory: string, file: PageFile) {
    this.#file = file;
    this.#snapshot = this.#choose(directory);
    this.#store = new StoreFile(file, this.#snapshot, this.#onDamage);
    this.#store.each("meta", this.#onDamage, (key, value) => {
      if (key.equals(OWNER_KEY)) {
        checkOwner(directory, value());
      } else if (key.equals(FORMAT_KEY)) {
        checkFormat(value());
      } else if (key.equals(CLOCK_KEY)) {
        // Without it, times count from the wall clock.
        const record = Buffer.from(value());
        this.#attempt("the record of the time", () => {
          parseMoment(record);
          this.#meta.push({ key: Buffer.from(key), value: record });
        });
      }
    });
  }

  report(): RepairReport {
    const records = {} as Record<ContentTable, SavedRecords>;
    for (const table of CONTENT_TABLES) {
      const saved = this.#saved.get(table) ?? 0;
      const entries = this.#store.tables.get(table)?.entries;
      records[table] = { saved, lost: entries === undefined ? undefined : Math.max(0, entries - saved) };
    }
    return { problems: this.#problems, records };
  }

  async write(directory: string): Promise<void> {
    const tables = openTables(directory, { transaction: undefined, previous: false });
    try {
      const batch = new Batch(tables.root);
      for (const { key, value } of this.#meta) {
        batch.put(tables.meta, key, value);
      }
      for (const table of CONTENT_TABLES) {
        this.#store.each(table, this.#onDamage, (key, value) => this.#save(batch, tables, table, key, value));
      }
      // Counted anew, or of no use any more; yet their pages are none that nothing leads to.
      for (const table of ["references", "doomed"]) {
        this.#store.each(table, this.#onDamage);
      }
      this.#saveStray(batch, tables);
      batch.end();
      this.#tidy(tables);
    } finally {
      await tables.root.close();
    }
  }

  /** The snapshot that the store would open at; where it would not, the newest that describes anything. */
  #choose(directory: string): Snapshot {
    try {
      return chooseSnapshot(this.#file, readMark(directory)).snapshot;
    } catch (error) {
      if (!(error instanceof LmdbStoreError)) {
        throw error;
      }
      this.#note(error.message);
      const snapshots = this.#file.snapshots().filter((snapshot) => snapshot !== undefined);
      const [newest] = snapshots.sort((one, other) => other.transaction - one.transaction);
      if (newest === undefined) {
        throw damaged("nothing can be read of it; restore a backup", error);
      }
      return newest;
    }
  }

  #save(batch: Batch, tables: Tables, table: ContentTable, key: Buffer, value: () => Buffer): void {
    this.#attempt(`a record in ${table}`, () => {
      const record = value();
      checkRecord(table, this.#reader, key, record);
      batch.put(tables[table], key, record);
      this.#saved.set(table, (this.#saved.get(table) ?? 0) + 1);
    });
  }

  /** Notes that something is damaged, and goes on. */
  #attempt(what: string, action: () => void): void {
    try {
      action();
    } catch (error) {
      if (!(error instanceof LmdbStoreError) || error.code !== "store-corrupt") {
        throw error;
      }
      this.#note(`${what}: ${error.message}`);
    }
  }

  /** What stands on pages that a damaged page led to. Where it is not known which pages are free, they are left alone. */
  #saveStray(batch: Batch, tables: Tables): void {
    let isListed = true;
    const free = this.#store.walk.freePages({
      onDamage: (damage) => {
        isListed = false;
        this.#onDamage(damage);
      },
    });
    if (this.#problems.length === 0 || !isListed) {
      return;
    }
    batch.end();
    for (const { key, value } of new LeafScan(this.#file, this.#snapshot, this.#store.walk, free)) {
      const record = value();
      const table = record && tableOf(key, record);
      if (table !== undefined && !tables[table].doesExist(key)) {
        this.#save(batch, tables, table, key, () => record!);
        batch.end();
      }
    }
  }

  /** Leaves out what has lost what it belongs to, and counts references anew. */
  #tidy(tables: Tables): void {
    const batch = new Batch(tables.root);
    const sessions = new Set([...tables.sessions.getKeys({ start: FIRST_KEY })].map(sessionOf));
    const references = new Map<number, number>();
    for (const name of ["subscriptions", "queue", "outgoing", "incoming", "retained"] as const) {
      for (const { key, value } of tables[name].getRange({ start: FIRST_KEY })) {
        const bodyId = checkRecord(name, this.#reader, key as Buffer, value);
        const hasBody = bodyId === undefined || tables.bodies.doesExist(bodyKey(bodyId));
        if (hasBody && (name === "retained" || sessions.has(sessionOf(key)))) {
          if (bodyId !== undefined) {
            references.set(bodyId, (references.get(bodyId) ?? 0) + 1);
          }
          continue;
        }
        batch.remove(tables[name], key);
        this.#saved.set(name, this.#saved.get(name)! - 1);
      }
    }
    const writer = new RecordWriter();
    for (const key of tables.bodies.getKeys({ start: FIRST_KEY })) {
      const count = references.get(bodyIdOf(key)) ?? 0;
      if (count === 0) {
        batch.remove(tables.bodies, key);
      } else if (count > 1) {
        writer.start();
        writer.u32(count);
        batch.put(tables.references, key, Buffer.from(writer.finish()));
      }
    }
    batch.end();
  }

  readonly #onDamage = ({ page, table, problem }: Damage): void => this.#note(`page ${page} (${table}) ${problem}`);

  #note(problem: string): void {
    if (this.#problems.length < MAX_PROBLEMS) {
      this.#problems.push(problem);
    }
  }
}

/** Writes to the new database, some thousand records a transaction. */
class Batch {
  readonly #root: Root;
  readonly #steps: (() => void)[] = [];

  constructor(root: Root) {
    this.#root = root;
  }

  put(table: Table, key: Uint8Array, value: Buffer): void {
    const step = { key: Buffer.from(key), value };
    this.#add(() => table.put(step.key, step.value));
  }

  remove(table: Table, key: Uint8Array): void {
    const copy = Buffer.from(key);
    this.#add(() => table.remove(copy));
  }

  end(): void {
    const steps = this.#steps.splice(0);
    if (steps.length > 0) {
      transactUnforced(this.#root, () => {
        for (const step of steps) {
          step();
        }
      });
    }
  }

  #add(step: () => void): void {
    this.#steps.push(step);
    if (this.#steps.length >= BATCH_STEPS) {
      this.end();
    }
  }
}

const FIRST_KEY = Buffer.of(0);
const MAX_PROBLEMS = 100;
const BATCH_STEPS = 2000;
