import { corrupt } from "./failure.ts";
import type { RecordReader } from "./record-reader.ts";

/** The first byte of every record. A change of layout within one format of the whole store takes the next number. */
export const RECORD_VERSION = 1;

export function checkVersion(reader: RecordReader): void {
  if (reader.u8() !== RECORD_VERSION) {
    throw corrupt("a record of an unknown kind");
  }
}
