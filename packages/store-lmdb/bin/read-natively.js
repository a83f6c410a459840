// Reads every record of a database with the native library, in a process of its own: over a damaged page the library
// ends the process. Argument: the store's directory. Ends with 0 when everything could be read.
import process from "node:process";
import { open } from "lmdb";

const BINARY = { encoding: "binary", keyEncoding: "binary" };
const root = open({
  path: process.argv[2],
  noSubdir: false,
  readOnly: true,
  overlappingSync: false,
  maxDbs: 16,
  ...BINARY,
});
for (const name of process.argv.slice(3)) {
  const table = root.openDB(name, BINARY);
  let bytes = 0;
  for (const { value } of table.getRange({ start: Buffer.of(0) })) {
    bytes += value.length;
  }
  process.stdout.write(`${name} ${bytes}\n`);
}
await root.close();
