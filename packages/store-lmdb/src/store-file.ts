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

/** The tables of one snapshot of a store's file, read without the database. */
export class StoreFile {
  readonly walk: Walk;
  /** By name, without those that are damaged away. */
  readonly tables: ReadonlyMap<string, Tree>;

  /** `onDamage` gets what is wrong with the table of tables. */
  constructor(file: PageFile, snapshot: Snapshot, onDamage: (damage: Damage) => void) {
    this.walk = new Walk(file, snapshot);
    const tables = new Map<string, Tree>();
    this.walk.tree("main", snapshot.main, {
      onDamage,
      onLeaf: ({ key, kind, value }) => {
        if (kind === "tree") {
          // Names end in a zero byte.
          tables.set(key.toString("latin1").replace(/\0$/, ""), readTree(value, 0));
        }
      },
    });
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
