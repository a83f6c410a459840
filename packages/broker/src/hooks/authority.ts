import type { SubscriptionRequest } from "@tidewire/codec";
import { NOT_AUTHORIZED, UNSPECIFIED_ERROR } from "@tidewire/codec/codes";
import type { Message } from "@tidewire/session";
import { BrokerError } from "../errors.ts";
import type { Deadlines } from "../time/index.ts";
import { type Admission, NEXT, readAdmission, readGrant, readPermission, readStep, readVerdict } from "./answers.ts";
import {
  type AuthenticationAnswer,
  type AuthenticationStep,
  type BrokerHooks,
  type ClientInfo,
  type ConnectRequest,
  NO_CONNECTION,
} from "./hooks.ts";

export interface AuthorityOptions {
  readonly hooks: readonly BrokerHooks[];
  /** For hooks that do not answer. */
  readonly deadlines: Pick<Deadlines, "after" | "cancel">;
  readonly timeoutMs: number;
  readonly checkRetainedPublisher: boolean;
  /** Told of every hook that failed, and in what way. */
  readonly onFailure: (error: BrokerError) => void;
}

/** Who published what is retained. */
export interface RetainedPublisher {
  readonly publisher: string | undefined;
  readonly publisherUser?: string | undefined;
}

/** An answer at once, or a promise of it that always resolves. */
export type Answer<Result> = Result | Promise<Result>;

/**
 * The one place that calls an application's hooks. Whatever they do, what comes back is an answer of the documented form:
 * they refuse when they throw, reject, stay silent, or return anything else. A result is only ever a promise when the
 * hook's was one, so that what is decided at once costs nothing.
 */
export class Authority {
  readonly #options: AuthorityOptions;
  readonly #authenticate: readonly BrokerHooks[];
  readonly #steps: readonly BrokerHooks[];
  readonly #publish: readonly BrokerHooks[];
  readonly #subscribe: readonly BrokerHooks[];
  readonly #deliver: readonly BrokerHooks[];
  readonly #published: readonly BrokerHooks[];
  readonly #users: readonly BrokerHooks[];

  constructor(options: AuthorityOptions) {
    const having = (name: keyof BrokerHooks): BrokerHooks[] =>
      options.hooks.filter((hooks) => hooks[name] !== undefined);
    this.#options = options;
    this.#authenticate = having("authenticate");
    this.#steps = having("authenticateStep");
    this.#publish = having("authorizePublish");
    this.#subscribe = having("authorizeSubscribe");
    this.#deliver = having("authorizeDelivery");
    this.#published = having("onPublished");
    this.#users = having("knowsUser");
  }

  /** Whether clients have to say who they are, so that their names mean something. */
  get authenticates(): boolean {
    return this.#authenticate.length > 0 || this.#steps.length > 0;
  }

  get hasSteps(): boolean {
    return this.#steps.length > 0;
  }

  get judgesPublications(): boolean {
    return this.#publish.length > 0;
  }

  get judgesDeliveries(): boolean {
    return this.#deliver.length > 0;
  }

  /** Whether what was retained depends on what its publisher may do now. */
  get judgesPublishers(): boolean {
    return this.#options.checkRetainedPublisher && this.judgesPublications;
  }

  /** Whether this client may come in. Everyone may where nobody asks. */
  authenticate(request: ConnectRequest): Answer<Admission> {
    if (this.#authenticate.length === 0) {
      return {};
    }
    return this.#first(
      this.#authenticate,
      (hooks) => this.#ask("authenticate", () => hooks.authenticate!(request), readAdmission, FAILED),
      { reasonCode: NOT_AUTHORIZED },
    );
  }

  authenticateStep(step: AuthenticationStep): Answer<AuthenticationAnswer> {
    const read = (answer: unknown): AuthenticationAnswer | typeof NEXT => readStep(answer, step.reauthentication);
    return this.#first(
      this.#steps,
      (hooks) => this.#ask("authenticateStep", () => hooks.authenticateStep!(step), read, FAILED_STEP),
      { outcome: "refuse", reasonCode: NOT_AUTHORIZED },
    );
  }

  /** 0 when this client may publish this; else the reason code. */
  publish(client: ClientInfo, message: Message, from = 0): Answer<number> {
    for (let index = from; index < this.#publish.length; index += 1) {
      let answer: unknown;
      try {
        answer = this.#publish[index]!.authorizePublish!(client, message);
        if (answer === true) {
          continue;
        }
        if (!isThenable(answer)) {
          const code = readVerdict(answer);
          if (code === 0) {
            continue;
          }
          return code;
        }
      } catch (error) {
        return this.#failed("authorizePublish", error, NOT_AUTHORIZED);
      }
      const verdict = this.#later("authorizePublish", answer, readVerdict, NOT_AUTHORIZED);
      return verdict.then((code) => (code === 0 ? this.publish(client, message, index + 1) : code));
    }
    return 0;
  }

  /** The highest QoS that this client may have of this, or a reason code from 0x80. */
  subscribe(client: ClientInfo, request: SubscriptionRequest, from = 0, highest = 2): Answer<number> {
    let granted = highest;
    for (let index = from; index < this.#subscribe.length; index += 1) {
      const hooks = this.#subscribe[index]!;
      const answer = this.#ask(
        "authorizeSubscribe",
        () => hooks.authorizeSubscribe!(client, request),
        readGrant,
        NOT_AUTHORIZED,
      );
      if (typeof answer !== "number") {
        const rest = (code: number): Answer<number> =>
          code > 2 ? code : this.subscribe(client, request, index + 1, Math.min(granted, code));
        return answer.then(rest);
      }
      if (answer > 2) {
        return answer;
      }
      granted = Math.min(granted, answer);
    }
    return granted;
  }

  /** Whether this client may have this message. */
  deliver(client: ClientInfo, message: Message, from = 0): Answer<boolean> {
    for (let index = from; index < this.#deliver.length; index += 1) {
      let answer: unknown;
      try {
        answer = this.#deliver[index]!.authorizeDelivery!(client, message);
        if (answer === true) {
          continue;
        }
        if (!isThenable(answer)) {
          return readPermission(answer);
        }
      } catch (error) {
        return this.#failed("authorizeDelivery", error, false);
      }
      const permission = this.#later("authorizeDelivery", answer, readPermission, false);
      return permission.then((allowed) => allowed && this.deliver(client, message, index + 1));
    }
    return true;
  }

  /** Only false from all who can tell means that a user is gone: what belongs to somebody is not given away by mistake. */
  knowsUser(username: string | undefined): boolean {
    for (const hooks of this.#users) {
      try {
        if (hooks.knowsUser!(username) !== false) {
          return true;
        }
      } catch (error) {
        return this.#failed("knowsUser", error, true);
      }
    }
    return this.#users.length === 0;
  }

  /** As `deliver`, of a retained message, whose publisher may have to have its right still. */
  deliverRetained(client: ClientInfo, message: Message, publisher: RetainedPublisher): Answer<boolean> {
    const { publisher: clientId, publisherUser: username } = publisher;
    if (!this.judgesPublishers || clientId === undefined) {
      return this.deliver(client, message);
    }
    const verdict = this.publish({ clientId, username, version: 5, connection: NO_CONNECTION }, message);
    if (typeof verdict === "number") {
      return verdict === 0 && this.deliver(client, message);
    }
    return verdict.then((code) => code === 0 && this.deliver(client, message));
  }

  connected(client: ClientInfo, sessionPresent: boolean): void {
    for (const hooks of this.#options.hooks) {
      this.#tell("onConnected", () => hooks.onConnected?.(client, sessionPresent));
    }
  }

  disconnected(client: ClientInfo, reasonCode: number): void {
    for (const hooks of this.#options.hooks) {
      this.#tell("onDisconnected", () => hooks.onDisconnected?.(client, reasonCode));
    }
  }

  published(client: ClientInfo | undefined, message: Message): void {
    for (const hooks of this.#published) {
      this.#tell("onPublished", () => hooks.onPublished!(client, message));
    }
  }

  /** The first answer that is not `"next"`. */
  #first<Result>(
    list: readonly BrokerHooks[],
    ask: (hooks: BrokerHooks) => Answer<Result | typeof NEXT>,
    nobody: Result,
    from = 0,
  ): Answer<Result> {
    for (let index = from; index < list.length; index += 1) {
      const answer = ask(list[index]!);
      if (answer instanceof Promise) {
        return answer.then((later) => (later === NEXT ? this.#first(list, ask, nobody, index + 1) : later));
      }
      if (answer !== NEXT) {
        return answer;
      }
    }
    return nobody;
  }

  #ask<Result>(hook: string, call: () => unknown, read: (answer: unknown) => Result, refused: Result): Answer<Result> {
    try {
      const answer = call();
      return isThenable(answer) ? this.#later(hook, answer, read, refused) : read(answer);
    } catch (error) {
      return this.#failed(hook, error, refused);
    }
  }

  /** A thenable may be anything that has a `then`: it may call back twice, never, or throw. */
  #later<Result>(hook: string, answer: unknown, read: (answer: unknown) => Result, refused: Result): Promise<Result> {
    const { deadlines, timeoutMs } = this.#options;
    return new Promise<Result>((resolve) => {
      const deadline = deadlines.after(timeoutMs, () => {
        const message = `${hook} did not answer within ${timeoutMs} ms; it counts as a refusal`;
        resolve(this.#failed(hook, new BrokerError("hook-timeout", message), refused));
      });
      Promise.resolve(answer)
        .then(read)
        .catch((error: unknown) => this.#failed(hook, error, refused))
        .then((result) => {
          deadlines.cancel(deadline);
          resolve(result);
        });
    });
  }

  #failed<Result>(hook: string, cause: unknown, refused: Result): Result {
    this.#options.onFailure(
      cause instanceof BrokerError
        ? cause
        : new BrokerError("hook-failed", `${hook} failed (${describe(cause)}), which counts as a refusal.`, { cause }),
    );
    return refused;
  }

  /** What a hook throws that decides nothing changes nothing here; nor does what its promise rejects with. */
  #tell(hook: string, call: () => unknown): void {
    const failed = (cause: unknown): void => {
      this.#options.onFailure(new BrokerError("hook-failed", `${hook} failed (${describe(cause)}).`, { cause }));
    };
    try {
      const returned = call();
      if (isThenable(returned)) {
        Promise.resolve(returned).catch(failed);
      }
    } catch (error) {
      failed(error);
    }
  }
}

const FAILED: Admission = { reasonCode: UNSPECIFIED_ERROR };
const FAILED_STEP: AuthenticationAnswer = { outcome: "refuse", reasonCode: UNSPECIFIED_ERROR };

/** Reads `then` itself, which may throw. */
function isThenable(answer: unknown): boolean {
  return (
    (typeof answer === "object" || typeof answer === "function") &&
    answer !== null &&
    typeof (answer as { readonly then?: unknown }).then === "function"
  );
}

function describe(cause: unknown): string {
  return cause instanceof Error ? cause.message : "something other than an Error was thrown";
}
