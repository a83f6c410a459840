export { headProblem, readTree, type Snapshot, type Tree } from "./layout.ts";
export { LeafScan } from "./leaf-scan.ts";
export { DATA_FILE, LOCK_FILE, PageFile } from "./page-file.ts";
export { type Damage, Walk, type WalkHandler } from "./walk.ts";
