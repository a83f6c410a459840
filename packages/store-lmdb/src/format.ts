import { foreign, LmdbStoreError } from "./failure.ts";

/** The layout of the whole store. */
export const FORMAT_VERSION = 2;

export const FORMAT_KEY: Buffer = Buffer.from("format");

export function formatRecord(): Buffer {
  const record = Buffer.concat([FORMAT_NAME, Buffer.alloc(2)]);
  record.writeUInt16BE(FORMAT_VERSION, FORMAT_NAME.length);
  return record;
}

/** Throws when the record under `FORMAT_KEY` is missing, of another program, or of another version. */
export function checkFormat(record: Buffer | undefined): void {
  const length = FORMAT_NAME.length;
  if (record === undefined || record.length !== length + 2 || !record.subarray(0, length).equals(FORMAT_NAME)) {
    throw foreign("the database belongs to another program");
  }
  const version = record.readUInt16BE(length);
  if (version !== FORMAT_VERSION) {
    const message = `the store has format ${version}; this version of Tidewire knows format ${FORMAT_VERSION}`;
    throw new LmdbStoreError("store-version", message);
  }
}

const FORMAT_NAME = Buffer.from("tidewire-store:");
