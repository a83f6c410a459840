import { damaged } from "./failure.ts";
import {
  type Damage,
  type PageFile,
  readTree,
  type Snapshot,
  type Tree,
  Walk,
  type WalkHandler,
} from "./file/index.ts";

/** Every table of a store, as `database.ts` opens them. */
const TABLE_NAMES: ReadonlySet<string> = new Set([
  ...["meta", "sessions", "subscriptions", "queue", "outgoing"],
  ...["incoming", "retained", "bodies", "references", "doomed"],
]);

/** The tables of one snapshot of a store's file, read without the database. */
export class StoreFile {
  readonly walk: Walk;
  /** By name, without those that are damaged away. */
  readonly tables: ReadonlyMap<string, Tree>;

  /** `onDamage` gets what is wrong with the table of tables. */
  constructor(file: PageFile, snapshot: Snapshot, onDamage: (damage: Damage) => void) {
    this.walk = new Walk(file, snapshot);
    const tables = new Map<string, Tree>();
    const unknown: string[] = [];
    this.walk.tree("main", snapshot.main, {
      onDamage,
      onLeaf: ({ key, kind, value }) => {
        // Names end in a zero byte.
        const name = key.toString("latin1").replace(/\0$/, "");
        if (kind === "tree" && TABLE_NAMES.has(name)) {
          tables.set(name, readTree(value, 0));
        } else {
          unknown.push(name);
        }
      },
    });
    // Another program's has none of ours. In a store a table that has lost its name would be begun anew, empty.
    if (tables.has("meta") && unknown.length > 0) {
      const problem = `names ${unknown.length} tables that no store has`;
      onDamage({ table: "main", page: snapshot.main.root ?? 0, problem });
    }
    this.tables = tables;
  }

  /** Each record of a table, in the order of keys. */
  each(table: string, onDamage: WalkHandler["onDamage"], onRecord?: (key: Buffer, value: () => Buffer) => void): void {
    const tree = this.tables.get(table);
    if (tree !== undefined) {
      const onLeaf: WalkHandler["onLeaf"] = onRecord && ((leaf) => onRecord(leaf.key, () => this.walk.valueOf(leaf)));
      this.walk.tree(table, tree, { onDamage, ...(onLeaf && { onLeaf }) });
    }
  }
}

/** The error that one piece of damage is. */
export function damageError({ table, page, problem }: Damage): Error {
  return damaged(`page ${page} (${table}) ${problem}`);
}
