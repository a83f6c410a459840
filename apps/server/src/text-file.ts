import { closeSync, constants, fstatSync, openSync, readSync, type Stats } from "node:fs";
import { describeError, errorCode, UsageError } from "./errors.ts";

/**
 * A file that people write, line by line, without line ends. What is not UTF-8 is refused: read with replacement
 * characters, a `deny` of a topic with an umlaut would be one of a topic that does not exist. `kind` is for errors.
 */
export function linesOf(kind: string, file: string, bytes: Uint8Array): string[] {
  const lines = splitLines(bytes);
  if (lines === undefined) {
    throw new UsageError(`${kind} ${file} has more than ${MOST_LINES} lines`, "check that it is the right file");
  }
  return lines.map((line, index) => {
    try {
      const text = UTF_8.decode(line);
      return index === 0 && text.startsWith(BYTE_ORDER_MARK) ? text.slice(1) : text;
    } catch {
      throw new UsageError(`${kind} ${file}, line ${index + 1}: this is not UTF-8`, "save the file as UTF-8");
    }
  });
}

/**
 * Reads a file that an option names. It may also be a pipe that the shell made for it by `<(...)`. What may never end, such as
 * a device or a pipe in the file system, or is longer than `longest` bytes is refused, before it stops the program or fills
 * its memory.
 */
export function readNamedFile(flag: string, file: string, remedy: string, longest: number = LONGEST): Buffer {
  let descriptor: number | undefined;
  try {
    // Opening a pipe would wait for somebody who writes to it.
    descriptor = openSync(file, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
    const kind = fileKind(fstatSync(descriptor));
    if (kind === "a named pipe" && INHERITED.test(file)) {
      // Its reads are to wait for whoever writes.
      closeSync(descriptor);
      descriptor = undefined;
      descriptor = openSync(file, "r");
    } else if (kind !== undefined) {
      throw new UsageError(`${flag} ${file} is ${kind}, not a file`, remedy);
    }
    return readBounded(descriptor, longest, () => {
      return new UsageError(`${flag} ${file} is longer than ${longest / MIB} MiB`, remedy);
    });
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

/** What it is in words, if it is no regular file. */
export function fileKind(stats: Stats): string | undefined {
  if (stats.isFile()) {
    return undefined;
  }
  if (stats.isDirectory()) {
    return "a directory";
  }
  return stats.isFIFO() ? "a named pipe" : stats.isSocket() ? "a socket" : "a device";
}

function readBounded(descriptor: number, longest: number, tooLong: () => Error): Buffer {
  const chunks: Buffer[] = [];
  let length = 0;
  for (;;) {
    const chunk = Buffer.alloc(CHUNK);
    const read = readSync(descriptor, chunk);
    if (read === 0) {
      return Buffer.concat(chunks, length);
    }
    length += read;
    if (length > longest) {
      throw tooLong();
    }
    chunks.push(chunk.subarray(0, read));
  }
}

/** Descriptors of this process: what the shell made. */
const INHERITED = /^\/(?:dev|proc\/self)\/(?:fd\/\d+|stdin)$/;

const MIB = 1024 * 1024;
const CHUNK = 64 * 1024;
/** A million users have some 150 MB of hashes; whoever has more wants a database. */
const LONGEST = 256 * MIB;
/** A line costs a hundred bytes and more here, however short it is. */
const MOST_LINES = 2_000_000;

// A mark in the middle of a file is a character like any other, and is to be seen by whoever judges the line.
const UTF_8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const BYTE_ORDER_MARK = "\uFEFF";

const NEWLINE = 0x0a;
const RETURN = 0x0d;

/** Undefined for too many. */
function splitLines(bytes: Uint8Array): Uint8Array[] | undefined {
  const lines: Uint8Array[] = [];
  for (let start = 0; start <= bytes.length; ) {
    const found = bytes.indexOf(NEWLINE, start);
    const end = found < 0 ? bytes.length : found;
    lines.push(bytes.subarray(start, end > start && bytes[end - 1] === RETURN ? end - 1 : end));
    start = end + 1;
    if (lines.length > MOST_LINES) {
      return undefined;
    }
  }
  return lines;
}
