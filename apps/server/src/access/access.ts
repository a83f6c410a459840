import { readFileSync } from "node:fs";
import type { BrokerHooks, ClientInfo, ConnectRequest, Refusal } from "@tidewire/broker";
import {
  BAD_USER_NAME_OR_PASSWORD,
  CLIENT_IDENTIFIER_NOT_VALID,
  NOT_AUTHORIZED,
  SERVER_BUSY,
} from "@tidewire/codec/codes";
import type { Logger } from "pino";
import type { AccessOptions } from "../args.ts";
import { describeError, errorCode, UsageError } from "../errors.ts";
import { Acl } from "./acl.ts";
import { parseAcl } from "./acl-file.ts";
import { PasswordChecker } from "./password-checker.ts";
import { parseUsers, type Users } from "./users-file.ts";

/** Who may connect, and what they may publish and get: the files of `--users` and `--acl` at work as broker hooks. */
export class Access {
  readonly hooks: BrokerHooks;
  readonly #options: AccessOptions;
  readonly #logger: Logger;
  readonly #passwords: Pick<PasswordChecker, "check">;
  readonly #connected = new Set<ClientInfo>();
  #users: Users;
  #acl: Acl | undefined;

  /** Throws a `UsageError` for a file that cannot be read or understood. */
  constructor(
    options: AccessOptions,
    logger: Logger,
    passwords: Pick<PasswordChecker, "check"> = new PasswordChecker(),
  ) {
    this.#options = options;
    this.#logger = logger;
    this.#passwords = passwords;
    [this.#users, this.#acl] = load(options, new Map());
    this.hooks = {
      authenticate: (request) => this.#authenticate(request),
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
    [this.#users, this.#acl] = load(this.#options, before);
    const isOutdated = ({ username = "" }: ClientInfo) => before.get(username) !== this.#users.get(username);
    return [...this.#connected].filter(isOutdated);
  }

  #authorization(): BrokerHooks {
    return {
      authorizePublish: (client, { topic }) => this.#acl?.mayPublish(client, topic) ?? false,
      authorizeSubscribe: (client, { filter }) => this.#acl?.maySubscribe(client, filter) ?? false,
      authorizeDelivery: (client, { topic }) => this.#acl?.mayReceive(client, topic) ?? false,
    };
  }

  async #authenticate(request: ConnectRequest): Promise<boolean | Refusal> {
    const { username, password, clientId, connection, packet } = request;
    const refuse = (reasonCode: number, reasonString: string): Refusal => {
      const { remoteAddress } = connection;
      this.#logger.info({ username, clientId, remoteAddress }, `refused a client: ${reasonString}`);
      return { reasonCode, reasonString };
    };
    if (username !== undefined || password !== undefined) {
      // Also for a name that is not in the file, so that nobody can find out which ones are.
      const hash = this.#users.get(username ?? "");
      const verdict = await this.#passwords.check(password ?? new Uint8Array(), hash);
      if (verdict === "busy") {
        return refuse(SERVER_BUSY, "too many clients connect at once");
      }
      // The file may be another one by now.
      if (verdict === "wrong" || this.#users.get(username ?? "") !== hash) {
        return refuse(BAD_USER_NAME_OR_PASSWORD, "wrong user name or password");
      }
    } else if (!this.#options.allowAnonymous) {
      return refuse(NOT_AUTHORIZED, "a user name and password are needed");
    }
    const owner = request.sessionUser();
    if (owner !== undefined && owner !== username && this.#users.has(owner)) {
      return refuse(CLIENT_IDENTIFIER_NOT_VALID, "another user has a session with this client identifier");
    }
    // Judged again when it is sent, but not after a restart of the broker, when its client is unknown.
    if (packet.will !== undefined && this.#acl?.mayPublish({ username, clientId }, packet.will.topic) === false) {
      return refuse(NOT_AUTHORIZED, "the topic of the will is not allowed");
    }
    return true;
  }
}

function load({ usersFile, aclFile }: AccessOptions, before: Users): [users: Users, acl: Acl | undefined] {
  const users = parseUsers(usersFile, read("--users", usersFile), before);
  return [users, aclFile === undefined ? undefined : new Acl(parseAcl(aclFile, read("--acl", aclFile)))];
}

function read(flag: string, file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    const problem = `${flag} ${file} cannot be read (${errorCode(error) ?? describeError(error)})`;
    const remedy = flag === "--users" ? 'make it with "tidewire passwd FILE USER"' : "check the path";
    throw new UsageError(problem, `${remedy}, and see to its permissions`, { cause: error });
  }
}
