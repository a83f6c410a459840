import {
  chownSync,
  closeSync,
  fsyncSync,
  openSync,
  renameSync,
  rmSync,
  type Stats,
  statSync,
  writeFileSync,
} from "node:fs";
import { hashPassword, MAXIMUM_FIELD_LENGTH, nameProblem, parseUsers, withUser } from "./access/index.ts";
import type { PasswdOptions } from "./args.ts";
import { describeError, errorCode, UsageError } from "./errors.ts";
import { readPassword } from "./read-password.ts";
import { fileKind, readNamedFile } from "./text-file.ts";

/** `tidewire passwd FILE USER`: adds a user to a users file, or gives one another password. */
export async function passwd({ file, user }: PasswdOptions): Promise<void> {
  const problem = nameProblem(user);
  if (problem !== undefined) {
    throw new UsageError(`the user name ${problem}`, "choose another one");
  }
  const before = readUsers(file);
  const isNew = !parseUsers(file, before).has(user);
  const password = await readPassword(user);
  if (password.length === 0) {
    throw new UsageError("the password is empty", "nothing was changed; try again");
  }
  if (password.length > MAXIMUM_FIELD_LENGTH) {
    throw new UsageError("the password is too long for MQTT", `keep it below ${MAXIMUM_FIELD_LENGTH + 1} bytes`);
  }
  replaceFile(file, withUser(before.toString().replace(/^\uFEFF/, ""), user, await hashPassword(password)));
  process.stdout.write(`${isNew ? "added" : "changed"} ${user} in ${file}; a running broker takes it up on SIGHUP\n`);
}

function readUsers(file: string): Buffer {
  let before: Stats | undefined;
  try {
    before = statSync(file, { throwIfNoEntry: false });
  } catch (error) {
    throw unusable(file, error);
  }
  if (before === undefined) {
    return Buffer.alloc(0);
  }
  const remedy = "name a file that may be replaced, or one that does not exist yet";
  const kind = fileKind(before);
  if (kind !== undefined) {
    throw new UsageError(`cannot change ${file}: it is ${kind}, not a file`, remedy);
  }
  return readNamedFile("the users file", file, remedy);
}

/**
 * The old file or the new one is there at any moment, whole. Owner and group stay, and the group may read it if it
 * could before: the broker may run as somebody else than the one who edits it.
 */
function replaceFile(file: string, text: string): void {
  const temporary = `${file}.${process.pid}.tmp`;
  try {
    const before = statSync(file, { throwIfNoEntry: false });
    const descriptor = openSync(temporary, "wx", 0o600 | ((before?.mode ?? 0) & 0o040));
    try {
      writeFileSync(descriptor, text);
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
    if (before !== undefined) {
      chownSync(temporary, before.uid, before.gid);
    }
    renameSync(temporary, file);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw unusable(file, error);
  }
}

function unusable(file: string, error: unknown): UsageError {
  return new UsageError(
    `cannot change ${file}: ${errorCode(error) ?? describeError(error)}`,
    "name a file in a directory that you may write to",
    { cause: error },
  );
}
