import { randomBytes, scryptSync } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { generate } from "selfsigned";
import { Program } from "./program.ts";
import type { ServerNeeds, Variant } from "./variant.ts";
import { until } from "./wait.ts";

/** Everybody there is, with their passwords. */
export const users = {
  canary: "canary-password",
  /** May do nothing but what everybody may: `own/NAME/#`. */
  mallory: "mallory-password",
  /** Has `private/#`, which nobody else may read. */
  alice: "alice-password",
  bob: "bob-password",
} as const;
export type UserName = keyof typeof users;

const RULES = [
  // For whoever gives no name, where that is allowed.
  "topic readwrite anonymous/#",
  "pattern readwrite own/%u/#",
  "pattern readwrite device/%c/#",
  "user canary",
  "topic readwrite canary/#",
  "user alice",
  "topic readwrite private/#",
  "topic readwrite news/#",
  "user bob",
  "topic read news/#",
  "topic deny news/secret",
  "user mallory",
];

/** A program with all listeners, the users and rules if wanted, and a data directory of its own. */
export class Server {
  readonly program: Program;
  readonly script: string | undefined;
  readonly directory: string;
  readonly usersFile: string;
  readonly rulesFile: string;
  readonly #keepsDirectory: boolean;

  private constructor(program: Program, script: string | undefined, directory: string, keepsDirectory: boolean) {
    this.program = program;
    this.script = script;
    this.directory = directory;
    this.usersFile = join(directory, "users");
    this.rulesFile = join(directory, "acl");
    this.#keepsDirectory = keepsDirectory;
  }

  static async start(
    { access, store }: Pick<Variant, "access" | "store">,
    script: string | undefined,
    needs: ServerNeeds = {},
    directory?: string,
  ): Promise<Server> {
    const root = directory ?? mkdtempSync(join(tmpdir(), "tidewire-attack-"));
    const { certFile, keyFile } = await certificate();
    writeFileSync(join(root, "users"), usersText([], needs.passwordCostLog2));
    writeFileSync(join(root, "acl"), rulesWithout(...(needs.without ?? [])));
    const listen = ["tcp://127.0.0.1:0", "tls://127.0.0.1:0", "ws://127.0.0.1:0/mqtt", "wss://127.0.0.1:0/mqtt"];
    const args = [
      ...listen.flatMap((url) => ["--listen", url]),
      ...["--tls-cert", certFile, "--tls-key", keyFile],
      ...["--store", store === "memory" ? "memory" : join(root, "data")],
      ...(access ? ["--users", join(root, "users"), "--acl", join(root, "acl")] : []),
      ...(needs.arguments ?? []),
    ];
    const { nodeArguments = [], env = {} } = needs;
    const program = await Program.serve(args, { script, nodeArguments, env });
    return new Server(program, script, root, directory !== undefined);
  }

  /** Writes users and rules anew and has them read; resolves when the program has said what came of it. */
  async reload({
    without = [],
    rules,
  }: {
    readonly without?: readonly string[];
    readonly rules?: string;
  }): Promise<void> {
    writeFileSync(this.usersFile, keepHashes(this.usersFile, without));
    if (rules !== undefined) {
      writeFileSync(this.rulesFile, rules);
    }
    await this.hangUp();
  }

  /** SIGHUP, and a moment until it is logged. */
  async hangUp(): Promise<void> {
    const { program } = this;
    const lines = () => program.log.filter(({ text }) => text.includes("SIGHUP")).length;
    const before = lines();
    program.kill("SIGHUP");
    await until(() => lines() > before || program.exit !== undefined, 3000);
  }

  /** Ends it in order; resolves with how it ended and whether in time. */
  async stop(): Promise<{ readonly exit: string; readonly inTime: boolean }> {
    const ended = await this.program.stop();
    if (!this.#keepsDirectory) {
      rmSync(this.directory, { recursive: true, force: true });
    }
    return ended;
  }
}

/** A users file of all but those left out; the hashes are cheap, so that nothing else is measured than what is meant. */
export function usersText(leftOut: readonly string[] = [], costLog2 = 10): string {
  const present = Object.entries(users).filter(([name]) => !leftOut.includes(name));
  return present.map(([name, password]) => `${name}:${passwordHash(password, costLog2)}\n`).join("");
}

/** The file as it is, without these users: whoever stays keeps the very same hash. */
function keepHashes(file: string, without: readonly string[]): string {
  const lines = readFileSync(file, "utf8").split("\n");
  return lines.filter((line) => !without.some((name) => line.startsWith(`${name}:`))).join("\n");
}

/** The rules as they are, without the lines given. */
export function rulesWithout(...left: readonly string[]): string {
  return `${RULES.filter((line) => !left.includes(line)).join("\n")}\n`;
}

/** As `tidewire passwd` writes it. */
export function passwordHash(password: string, costLog2: number): string {
  const salt = randomBytes(16);
  const key = scryptSync(password, salt, 32, { N: 2 ** costLog2, r: 8, p: 1, maxmem: 128 * 1024 * 1024 });
  const text = (bytes: Buffer) => bytes.toString("base64").replace(/=+$/, "");
  return `$scrypt$ln=${costLog2},r=8,p=1$${text(salt)}$${text(key)}`;
}

/** Made once for the whole run. */
let made: Promise<{ readonly certFile: string; readonly keyFile: string }> | undefined;

export function certificate(): Promise<{ readonly certFile: string; readonly keyFile: string }> {
  made ??= makeCertificate("ec");
  return made;
}

export async function makeCertificate(keyType: "ec" | "rsa"): Promise<{ certFile: string; keyFile: string }> {
  const directory = mkdtempSync(join(tmpdir(), "tidewire-attack-"));
  process.once("exit", () => rmSync(directory, { recursive: true, force: true }));
  const { cert, private: key } = await generate([{ name: "commonName", value: "tidewire attack" }], {
    keyType,
    algorithm: "sha256",
    extensions: [{ name: "subjectAltName", altNames: [{ type: 7, ip: "127.0.0.1" }] }],
  });
  const files = { certFile: join(directory, "cert.pem"), keyFile: join(directory, "key.pem") };
  writeFileSync(files.certFile, cert);
  writeFileSync(files.keyFile, key);
  return files;
}
