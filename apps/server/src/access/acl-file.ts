import { validateTopicFilter } from "@tidewire/codec";
import { describeError, UsageError } from "../errors.ts";
import { didYouMean } from "../nearest.ts";
import { linesOf } from "../text-file.ts";

/** What an ACL file says, in the form that Mosquitto's `acl_file` has. */
export interface AclRules {
  /** `topic` lines before the first `user`: for clients without a user name. */
  readonly anonymous: readonly AclRule[];
  /** `topic` lines below `user NAME`. */
  readonly users: ReadonlyMap<string, readonly AclRule[]>;
  /** `pattern` lines, wherever they stand: for everybody, with `%u` and `%c` for user name and client identifier. */
  readonly patterns: readonly AclRule[];
  /** The line of the first `user` with each name. */
  readonly userLines: ReadonlyMap<string, number>;
}

export interface AclRule {
  readonly access: "read" | "write" | "readwrite" | "deny";
  readonly filter: string;
}

/**
 * Reads lines; those that are empty or begin with `#` are for people. `file` is for errors only. Whatever could be
 * meant in another way is refused, so that no slip of the pen gives a right: `topic dney a` is no topic "dney a".
 */
export function parseAcl(file: string, bytes: Uint8Array): AclRules {
  const anonymous: AclRule[] = [];
  const users = new Map<string, AclRule[]>();
  const patterns: AclRule[] = [];
  const userLines = new Map<string, number>();
  let topics = anonymous;
  for (const [index, line] of linesOf("ACL file", file, bytes).entries()) {
    if (line.trim() === "" || line.startsWith("#")) {
      continue;
    }
    const where = `ACL file ${file}, line ${index + 1}`;
    const [, keyword = "", rest] = LINE.exec(line) ?? [];
    if (!isKeyword(keyword) || rest === undefined) {
      throw new UsageError(
        `${where}: this is no rule${KEYWORDS.includes(keyword) ? "" : didYouMean(keyword, KEYWORDS)}`,
        "write user NAME, topic ACCESS FILTER or pattern ACCESS FILTER",
      );
    }
    if (keyword === "user") {
      topics = users.get(rest) ?? [];
      users.set(rest, topics);
      userLines.set(rest, userLines.get(rest) ?? index + 1);
    } else {
      const rule = parseRule(where, keyword, rest);
      checkPlaceholders(where, keyword, rule.filter);
      (keyword === "topic" ? topics : patterns).push(rule);
    }
  }
  return { anonymous, users, patterns, userLines };
}

const KEYWORDS: readonly string[] = ["user", "topic", "pattern"];
const ACCESS: readonly string[] = ["read", "write", "readwrite", "deny"];

const LINE = /^\s*(\S+)(?:\s+(.*\S))?\s*$/;

function isKeyword(text: string): text is "user" | "topic" | "pattern" {
  return KEYWORDS.includes(text);
}

/** `[ACCESS] FILTER`; a filter may have spaces in it when ACCESS is there. */
function parseRule(where: string, keyword: string, text: string): AclRule {
  const [, access, filter] = /^(\S+)\s+(.+)$/.exec(text) ?? ["", "readwrite", text];
  if (access === undefined || filter === undefined || !isAccess(access)) {
    throw new UsageError(
      `${where}: "${access}" is no kind of access${didYouMean(access ?? "", ACCESS)}`,
      "write read, write, readwrite or deny before the filter; a filter with blanks needs one of them, too",
    );
  }
  // "topic deny" and "topic deny/a" may be a topic of that name, or a rule that has lost its filter or its blank.
  const doubtful = filter === text ? ACCESS_IN_FRONT.exec(text)?.[0] : undefined;
  if (doubtful !== undefined) {
    throw new UsageError(
      `${where}: "${text}" begins with the word "${doubtful}" and says no access`,
      `write ${keyword} ${doubtful.toLowerCase()} FILTER, or ${keyword} readwrite ${text} where that is the topic`,
    );
  }
  if (filter.startsWith("$share/")) {
    throw new UsageError(`${where}: this is a shared subscription`, "leave $share/GROUP/ out: rules are for topics");
  }
  try {
    validateTopicFilter(filter);
  } catch (error) {
    throw new UsageError(`${where}: ${describeError(error)}`, "write a topic filter such as devices/+/status", {
      cause: error,
    });
  }
  return { access, filter };
}

// Readings are a common topic; what begins with "deny" is hardly ever one, and taken for one it would lose a prohibition.
const ACCESS_IN_FRONT = /^(?:deny|(?:readwrite|read|write)(?![\p{L}\p{N}_-]))/iu;

function isAccess(text: string): text is AclRule["access"] {
  return ACCESS.includes(text);
}

/** A name that is not filled in makes a rule for a topic that nobody has: a `deny` of it forbids nothing. */
function checkPlaceholders(where: string, keyword: "topic" | "pattern", filter: string): void {
  if (keyword === "topic") {
    const [placeholder] = /%[uc]/i.exec(filter) ?? [];
    if (placeholder !== undefined) {
      throw new UsageError(`${where}: a topic line knows no ${placeholder}`, "write a pattern line, or leave it out");
    }
    return;
  }
  const [unknown] = /%(?![uc]).?/u.exec(filter) ?? [];
  if (unknown !== undefined) {
    throw new UsageError(
      `${where}: "${unknown}" stands for nothing`,
      "write %u for the user name or %c for the client identifier",
    );
  }
}
