import type { BrokerHooks, ClientInfo, ConnectRequest, Refusal } from "@tidewire/broker";
import {
  BAD_USER_NAME_OR_PASSWORD,
  CLIENT_IDENTIFIER_NOT_VALID,
  NOT_AUTHORIZED,
  SERVER_BUSY,
  SERVER_UNAVAILABLE,
} from "@tidewire/codec/codes";
import type { Logger } from "pino";
import type { AccessOptions } from "../args.ts";
import { didYouMean } from "../nearest.ts";
import { readNamedFile } from "../text-file.ts";
import { Acl } from "./acl.ts";
import { type AclRules, parseAcl } from "./acl-file.ts";
import { ClientIdPatterns } from "./client-id-patterns.ts";
import { PasswordChecker, type PasswordSource } from "./password-checker.ts";
import { Decoys, parseUsers, type Users } from "./users-file.ts";

/** Who may connect, and what they may publish and get: the files of `--users` and `--acl` at work as broker hooks. */
export class Access {
  readonly hooks: BrokerHooks;
  readonly #options: AccessOptions;
  readonly #logger: Logger;
  readonly #passwords: Passwords;
  readonly #clientIds: ClientIdPatterns;
  readonly #connected = new Set<ClientInfo>();
  #users: Users;
  #decoys: Decoys;
  #acl: Acl | undefined;

  /** Throws a `UsageError` for a file that cannot be read or understood. */
  constructor(options: AccessOptions, logger: Logger, passwords: Passwords = new PasswordChecker()) {
    this.#options = options;
    this.#logger = logger;
    this.#passwords = passwords;
    this.#clientIds = new ClientIdPatterns(options.clientIds);
    [this.#users, this.#acl] = this.#load(new Map());
    this.#decoys = new Decoys(this.#users);
    this.hooks = {
      authenticate: (request) => this.#authenticate(request),
      knowsUser: (name) => this.#exists(name),
      onConnected: (client) => this.#connected.add(client),
      onDisconnected: (client) => this.#connected.delete(client),
      // Without rules the broker need not ask for each message.
      ...(options.aclFile === undefined ? {} : this.#authorization()),
    };
  }

  /**
   * Reads the files anew. Returns the clients that are connected as a user who is gone or has another password now.
   * Throws a `UsageError` for a file that is bad; then all stays as it is.
   */
  reload(): ClientInfo[] {
    const before = this.#users;
    [this.#users, this.#acl] = this.#load(before);
    this.#decoys = new Decoys(this.#users);
    const isOutdated = ({ username = "" }: ClientInfo) => before.get(username) !== this.#users.get(username);
    return [...this.#connected].filter(isOutdated);
  }

  /** Checks no further passwords, so that nothing of it holds up the end of the process. */
  close(): void {
    this.#passwords.close();
  }

  #load(before: Users): [users: Users, acl: Acl | undefined] {
    const { usersFile, aclFile } = this.#options;
    const usersText = readNamedFile(
      "--users",
      usersFile,
      'make it with "tidewire passwd FILE USER", and see to its permissions',
    );
    const users = parseUsers(usersFile, usersText, before);
    const rules = aclFile === undefined ? undefined : readRules(aclFile);
    // Both are good: what is odd about them is said now, and not beside an error.
    if (users.size === 0) {
      this.#logger.warn(`users file ${usersFile} names no user: nobody can sign in; add one with "tidewire passwd"`);
    }
    if (aclFile === undefined || rules === undefined) {
      return [users, undefined];
    }
    for (const warning of strangers(aclFile, rules, users)) {
      this.#logger.warn(warning);
    }
    return [users, new Acl(rules)];
  }

  #authorization(): BrokerHooks {
    return {
      // Of a user who is gone there may be a will left.
      authorizePublish: (client, { topic }) =>
        this.#exists(client.username) && (this.#acl?.mayPublish(client, topic) ?? false),
      authorizeSubscribe: (client, { filter }) => this.#acl?.maySubscribe(client, filter) ?? false,
      authorizeDelivery: (client, { topic }) => this.#acl?.mayReceive(client, topic) ?? false,
    };
  }

  #exists(name: string | undefined): boolean {
    return name === undefined ? this.#options.allowAnonymous : this.#users.has(name);
  }

  async #authenticate(request: ConnectRequest): Promise<boolean | Refusal> {
    const { username, password, clientId, connection, packet } = request;
    if (username !== undefined || password !== undefined) {
      const name = username ?? "";
      // Also for a name that is not in the file, so that nobody can find out which ones are.
      const hash = this.#users.get(name) ?? this.#decoys.get(name);
      const verdict = await this.#passwords.check(password ?? new Uint8Array(), hash, sourceOf(request));
      if (verdict === "cancelled") {
        // Nobody is there to read the answer.
        return { reasonCode: SERVER_UNAVAILABLE };
      }
      if (verdict === "busy") {
        return { reasonCode: SERVER_BUSY, reasonString: "too many clients connect at once" };
      }
      // The file may be another one by now.
      if (verdict === "wrong" || this.#users.get(name) !== hash) {
        return { reasonCode: BAD_USER_NAME_OR_PASSWORD, reasonString: "wrong user name or password" };
      }
    } else if (!this.#options.allowAnonymous) {
      return { reasonCode: NOT_AUTHORIZED, reasonString: "a user name and password are needed" };
    }
    const certificateName = connection.clientCertificateName;
    // The broker gives an empty one a name that nobody has.
    if (clientId !== "" && !this.#clientIds.allows({ clientId, username, certificateName })) {
      return {
        reasonCode: CLIENT_IDENTIFIER_NOT_VALID,
        reasonString: "the client identifier is not this user's to take",
      };
    }
    // Judged again when it is sent.
    if (packet.will !== undefined && this.#acl?.mayPublish({ username, clientId }, packet.will.topic) === false) {
      return { reasonCode: NOT_AUTHORIZED, reasonString: "the topic of the will is not allowed" };
    }
    return true;
  }
}

type Passwords = Pick<PasswordChecker, "check" | "close">;

/** The broker makes the signal of a request when it is asked for: most passwords never wait. */
function sourceOf(request: ConnectRequest): PasswordSource {
  return {
    address: request.connection.remoteAddress,
    get signal() {
      return request.signal;
    },
  };
}

function readRules(aclFile: string): AclRules {
  return parseAcl(aclFile, readNamedFile("--acl", aclFile, "check the path, and see to its permissions"));
}

/** Rules for a user whom nobody is: perhaps a slip, and somebody else's prohibition is missing. */
function strangers(file: string, { userLines }: AclRules, users: Users): string[] {
  return [...userLines].flatMap(([name, line]) =>
    users.has(name)
      ? []
      : [
          `ACL file ${file}, line ${line}: user "${name}" is not in the users file${didYouMean(name, users.keys())}: ` +
            `its rules are for nobody; add the user, or take the lines out`,
        ],
  );
}
