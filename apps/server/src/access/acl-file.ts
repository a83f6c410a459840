import { validateTopicFilter } from "@tidewire/codec";
import { describeError, UsageError } from "../errors.ts";

/** What an ACL file says, in the form that Mosquitto's `acl_file` has. */
export interface AclRules {
  /** `topic` lines before the first `user`: for clients without a user name. */
  readonly anonymous: readonly AclRule[];
  /** `topic` lines below `user NAME`. */
  readonly users: ReadonlyMap<string, readonly AclRule[]>;
  /** `pattern` lines, wherever they stand: for everybody, with `%u` and `%c` for user name and client identifier. */
  readonly patterns: readonly AclRule[];
}

export interface AclRule {
  readonly access: "read" | "write" | "readwrite" | "deny";
  readonly filter: string;
}

/** Reads lines; those that are empty or begin with `#` are for people. `file` is for errors only. */
export function parseAcl(file: string, text: string): AclRules {
  const anonymous: AclRule[] = [];
  const users = new Map<string, AclRule[]>();
  const patterns: AclRule[] = [];
  let topics = anonymous;
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    if (line.trim() === "" || line.startsWith("#")) {
      continue;
    }
    const where = `ACL file ${file}, line ${index + 1}`;
    const [, keyword, rest] = LINE.exec(line) ?? [];
    if (rest === undefined) {
      throw new UsageError(
        `${where}: this is no rule`,
        "write user NAME, topic ACCESS FILTER or pattern ACCESS FILTER",
      );
    }
    if (keyword === "user") {
      topics = users.get(rest) ?? [];
      users.set(rest, topics);
    } else {
      (keyword === "topic" ? topics : patterns).push(parseRule(where, rest));
    }
  }
  return { anonymous, users, patterns };
}

const LINE = /^\s*(user|topic|pattern)\s+(.*\S)\s*$/;

/** `[ACCESS] FILTER`; a filter may have spaces in it. */
function parseRule(where: string, text: string): AclRule {
  const [, access = "readwrite", filter = text] = /^(readwrite|read|write|deny)\s+(.+)$/.exec(text) ?? [];
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
  return { access: access as AclRule["access"], filter };
}
