import { createInterface } from "node:readline";
import { Writable } from "node:stream";
import { MAXIMUM_FIELD_LENGTH } from "./access/index.ts";
import { UsageError } from "./errors.ts";

/** Asks for a new password, twice and without showing it; what is no terminal is read to the end of its first line. */
export async function readPassword(user: string): Promise<Uint8Array> {
  if (!process.stdin.isTTY) {
    return firstLine();
  }
  // readline edits the line and knows the keys; what it would show goes nowhere.
  const output = new Writable({ write: (_chunk, _encoding, done) => done() });
  const terminal = createInterface({ input: process.stdin, output, terminal: true, historySize: 0 });
  const lines = terminal[Symbol.asyncIterator]();
  try {
    const password = await ask(lines, `Password for ${user}: `);
    if ((await ask(lines, "Once more: ")) === password) {
      return Buffer.from(password);
    }
    throw new UsageError("these are two different passwords", "nothing was changed; try again");
  } finally {
    terminal.close();
  }
}

async function ask(lines: AsyncIterator<string>, question: string): Promise<string> {
  process.stderr.write(question);
  const line = await lines.next();
  process.stderr.write("\n");
  // Ctrl-C and Ctrl-D end it without a line.
  if (line.done === true) {
    throw new UsageError("no password was given", "nothing was changed");
  }
  return line.value;
}

/** Not much further than a password can be long. */
async function firstLine(): Promise<Uint8Array> {
  let bytes = Buffer.alloc(0);
  for await (const chunk of process.stdin) {
    bytes = Buffer.concat([bytes, chunk]);
    if (bytes.includes("\n") || bytes.length > MAXIMUM_FIELD_LENGTH) {
      break;
    }
  }
  const end = bytes.findIndex((byte) => byte === 0x0a || byte === 0x0d);
  return end < 0 ? bytes : bytes.subarray(0, end);
}
