import { statSync } from "node:fs";

/** A file that an option names. */
export interface NamedFile {
  readonly flag: string;
  readonly file: string;
  /** Whether whoever reads it gains something: a private key, hashes to guess at. */
  readonly secret: boolean;
}

/** A line for each file that other users of the machine may read or write and should not. */
export function permissionWarnings(files: readonly NamedFile[]): string[] {
  return files.flatMap(({ flag, file, secret }) => {
    // Windows has no such bits. A file that is gone is somebody else's message.
    const mode = process.platform === "win32" ? undefined : statSync(file, { throwIfNoEntry: false })?.mode;
    if (mode === undefined) {
      return [];
    }
    const found = `(mode ${(mode & 0o7777).toString(8).padStart(4, "0")}); run "chmod o= ${file}"`;
    if ((mode & OTHERS_WRITE) !== 0) {
      return [`${flag} ${file} can be changed by every user of this machine, who could let themselves in ${found}`];
    }
    return secret && (mode & OTHERS_READ) !== 0
      ? [`${flag} ${file} can be read by every user of this machine, and holds secrets ${found}`]
      : [];
  });
}

const OTHERS_READ = 0o004;
const OTHERS_WRITE = 0o002;
