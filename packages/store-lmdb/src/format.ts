import { randomBytes } from "node:crypto";
import { damaged, foreign, LmdbStoreError } from "./failure.ts";

/** The layout of the whole store. */
export const FORMAT_VERSION = 2;

export const FORMAT_KEY: Buffer = Buffer.from("format");

export function formatRecord(): Buffer {
  const record = Buffer.concat([FORMAT_NAME, Buffer.alloc(2), randomBytes(ID_BYTES)]);
  record.writeUInt16BE(FORMAT_VERSION, FORMAT_NAME.length);
  return record;
}

/** Throws when the record under `FORMAT_KEY` is missing, of another program, or of another version. */
export function checkFormat(record: Buffer | undefined): void {
  const length = FORMAT_NAME.length;
  if (record === undefined || record.length < length + 2 || !record.subarray(0, length).equals(FORMAT_NAME)) {
    throw foreign("the database belongs to another program");
  }
  const version = record.readUInt16BE(length);
  if (version !== FORMAT_VERSION) {
    const message = `the store has format ${version}; this version of Tidewire knows format ${FORMAT_VERSION}`;
    throw new LmdbStoreError("store-version", message);
  }
  if (record.length !== length + 2 + ID_BYTES) {
    throw damaged("the record of its format is cut off");
  }
}

/** What tells a store from others that look the same. Its backups have it as well. */
export function storeId(record: Buffer | undefined): number {
  return record === undefined ? 0 : record.readUInt32BE(FORMAT_NAME.length + 2);
}

const ID_BYTES = 4;
const FORMAT_NAME = Buffer.from("tidewire-store:");
