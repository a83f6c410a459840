import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { describeError, errorCode, UsageError } from "./errors.ts";

/**
 * A file that people write, line by line, without line ends. What is not UTF-8 is refused: read with replacement
 * characters, a `deny` of a topic with an umlaut would be one of a topic that does not exist. `kind` is for errors.
 */
export function linesOf(kind: string, file: string, bytes: Uint8Array): string[] {
  return splitLines(bytes).map((line, index) => {
    try {
      const text = UTF_8.decode(line);
      return index === 0 && text.startsWith(BYTE_ORDER_MARK) ? text.slice(1) : text;
    } catch {
      throw new UsageError(`${kind} ${file}, line ${index + 1}: this is not UTF-8`, "save the file as UTF-8");
    }
  });
}

/**
 * Reads a file that an option names. It may also be a pipe, as from a shell's `<(...)`; what never ends, such as a device, or
 * is too long for what it should be is refused before it fills the memory.
 */
export function readNamedFile(flag: string, file: string, remedy: string): Buffer {
  let descriptor: number | undefined;
  try {
    descriptor = openSync(file, "r");
    if (fstatSync(descriptor).isCharacterDevice() || fstatSync(descriptor).isBlockDevice()) {
      throw new UsageError(`${flag} ${file} is a device`, remedy);
    }
    return readBounded(descriptor, () => new UsageError(`${flag} ${file} is longer than ${LONGEST / MIB} MiB`, remedy));
  } catch (error) {
    if (error instanceof UsageError) {
      throw error;
    }
    const problem = `${flag} ${file} cannot be read (${errorCode(error) ?? describeError(error)})`;
    throw new UsageError(problem, remedy, { cause: error });
  } finally {
    if (descriptor !== undefined) {
      closeSync(descriptor);
    }
  }
}

function readBounded(descriptor: number, tooLong: () => Error): Buffer {
  const chunks: Buffer[] = [];
  let length = 0;
  for (;;) {
    const chunk = Buffer.alloc(CHUNK);
    const read = readSync(descriptor, chunk);
    if (read === 0) {
      return Buffer.concat(chunks, length);
    }
    length += read;
    if (length > LONGEST) {
      throw tooLong();
    }
    chunks.push(chunk.subarray(0, read));
  }
}

const MIB = 1024 * 1024;
const CHUNK = 64 * 1024;
/** A million users have some 150 MB of hashes; whoever has more wants a database. */
const LONGEST = 256 * MIB;

// A mark in the middle of a file is a character like any other, and is to be seen by whoever judges the line.
const UTF_8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const BYTE_ORDER_MARK = "\uFEFF";

const NEWLINE = 0x0a;
const RETURN = 0x0d;

function splitLines(bytes: Uint8Array): Uint8Array[] {
  const lines: Uint8Array[] = [];
  for (let start = 0; start <= bytes.length; ) {
    const found = bytes.indexOf(NEWLINE, start);
    const end = found < 0 ? bytes.length : found;
    lines.push(bytes.subarray(start, end > start && bytes[end - 1] === RETURN ? end - 1 : end));
    start = end + 1;
  }
  return lines;
}
