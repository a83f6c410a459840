import { UsageError } from "../errors.ts";

/** Who comes, as far as patterns ask. */
export interface Comer {
  readonly clientId: string;
  readonly username: string | undefined;
  /** Common name of a verified client certificate. */
  readonly certificateName: string | undefined;
}

/**
 * Which client identifiers a client may take, from `--client-id`: `%u` stands for its user name, `%n` for the name in its
 * certificate, `*` for anything. Without patterns it may take any; with them one has to fit.
 */
export class ClientIdPatterns {
  readonly #patterns: readonly string[];

  /** Throws a `UsageError` for a pattern that says nothing, or something unknown. */
  constructor(patterns: readonly string[]) {
    for (const pattern of patterns) {
      check(pattern);
    }
    this.#patterns = patterns;
  }

  allows(comer: Comer): boolean {
    return this.#patterns.length === 0 || this.#patterns.some((pattern) => fits(pattern, comer));
  }
}

function check(pattern: string): void {
  const unknown = /%(?![un]).?/.exec(pattern)?.[0];
  if (unknown !== undefined) {
    throw new UsageError(
      `--client-id "${pattern}" has ${unknown}, which stands for nothing`,
      "write %u for the user name, %n for the name in the client's certificate",
    );
  }
  if (pattern === "") {
    throw new UsageError("--client-id is empty", 'write a pattern, such as "%u" or "%u-*"');
  }
}

/** A name that is not there fits nothing; what a name holds is never a pattern. */
function fits(pattern: string, { clientId, username, certificateName }: Comer): boolean {
  if ((pattern.includes("%u") && !username) || (pattern.includes("%n") && !certificateName)) {
    return false;
  }
  const [first = "", ...rest] = pattern
    .split("*")
    .map((part) => part.replace(/%[un]/g, (name) => (name === "%u" ? username : certificateName) ?? ""));
  if (rest.length === 0) {
    return clientId === first;
  }
  const last = rest.pop() ?? "";
  if (!clientId.startsWith(first) || !clientId.endsWith(last) || clientId.length < first.length + last.length) {
    return false;
  }
  const end = clientId.length - last.length;
  let at = first.length;
  for (const part of rest) {
    const found = clientId.indexOf(part, at);
    if (found < 0 || found + part.length > end) {
      return false;
    }
    at = found + part.length;
  }
  return true;
}
