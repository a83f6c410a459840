import { copyFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Attack } from "../attack.ts";
import { each } from "../cases.ts";
import type { Context } from "../context.ts";
import { runProgram } from "../program.ts";
import { certificate, makeCertificate, passwordHash } from "../server.ts";
import { sleep, until } from "../wait.ts";

const HASH = passwordHash("secret", 10);

/** Users files and rules files that no program may understand, each with what its message must name. */
const BAD_RULES: Readonly<Record<string, readonly [text: string, message: RegExp]>> = {
  "a misspelt deny": ["user alice\ntopic dney x\n", /line 2.*deny/],
  "deny in capitals": ["user alice\ntopic DENY x\n", /line 2.*deny/],
  "a misspelt read": ["user alice\ntopic raed x\n", /line 2.*read/],
  "a misspelt write in a pattern": ["pattern wirte own/%u/#\n", /line 1.*write/],
  "an unknown first word": ["usr alice\n", /line 1/],
  "a bad filter": ["user alice\ntopic read a/#/b\n", /line 2/],
  "a user without a name": ["user\n", /line 1/],
  "a topic without a filter": ["user alice\ntopic\n", /line 2/],
  "bytes that are no text": ["\u0000\u0001\u0002\u0003\n", /line 1/],
};
const BAD_USERS: Readonly<Record<string, readonly [text: string, message: RegExp]>> = {
  "no colon": ["alice\n", /line 1/],
  "no hash": ["alice:\n", /line 1/],
  "a password in the clear": ["alice:secret\n", /line 1/],
  "a hash cut off": [`alice:${HASH.slice(0, 40)}\n`, /line 1/],
  "the same user twice": [`alice:${HASH}\nalice:${HASH}\n`, /line 2/],
  "a hash that takes 64 GB": [`alice:${HASH.replace("ln=10", "ln=29")}\n`, /line 1/],
  "an empty name": [`:${HASH}\n`, /line 1/],
  "a name with a tab": [`al\tice:${HASH}\n`, /line 1/],
};

const ALONE = { transports: ["tcp"], versions: [5], stores: ["memory"], access: [true] } as const;

export const accessFiles: readonly Attack[] = [
  {
    id: "46",
    title: "users and rules files with mistakes, at the start",
    expected: "the program says file, line and remedy, and does not start",
    on: ALONE,
    standsAlone: true,
    async run(t) {
      await each(BAD_RULES, (name, [text, message]) => refuses(t, name, { acl: text }, message), 3);
      await each(BAD_USERS, (name, [text, message]) => refuses(t, name, { users: text }, message), 3);
      await refuses(t, "rules that are a directory", { aclIsDirectory: true }, /cannot be read/);
    },
  },
  {
    id: "46.2",
    title: "users and rules files with mistakes, on SIGHUP",
    expected: "everything stays as it was; one line says why",
    on: ALONE,
    server: {},
    async run(t) {
      const { server } = t;
      for (const file of [server.rulesFile, server.usersFile]) {
        const good = join(t.directory(), "good");
        copyFileSync(file, good);
        writeFileSync(file, "nonsense here\n");
        await server.hangUp();
        t.check(
          t.log.some(({ level, text }) => level >= 50 && /line 1/.test(text)),
          "no error names the line",
        );
        const peer = await t.client();
        t.check((await peer.subscribe("own/mallory/x", 1))?.reasonCodes[0] === 1, "the old rules do not hold any more");
        t.check((await peer.subscribe("private/x", 1))?.reasonCodes[0] === 0x87, "a right was gained");
        copyFileSync(good, file);
      }
    },
  },
  {
    id: "46.3",
    title: "half of a renewed certificate, on SIGHUP",
    expected: "the old one goes on; one line says why",
    on: { ...ALONE, transports: ["tls"] },
    standsAlone: true,
    async run(t) {
      const [old, other] = [await certificate(), await makeCertificate("rsa")];
      const directory = t.directory();
      const [certFile, keyFile] = [join(directory, "cert.pem"), join(directory, "key.pem")];
      copyFileSync(old.certFile, certFile);
      copyFileSync(old.keyFile, keyFile);
      const tls = ["--tls-cert", certFile, "--tls-key", keyFile];
      const program = await t.serve(["--listen", "tls://127.0.0.1:0", ...tls, "--store", "memory"]);
      copyFileSync(other.certFile, certFile);
      program.kill("SIGHUP");
      t.check(
        await until(() => program.log.some(({ level, text }) => level >= 50 && text.includes("SIGHUP")), 3000),
        "no error says that nothing was changed",
      );
      const peer = await t.peerAt(program);
      t.check((await peer.connect())?.reasonCode === 0, "a new client is not let in over TLS");
      copyFileSync(other.keyFile, keyFile);
      program.kill("SIGHUP");
      await sleep(500);
      const later = await t.peerAt(program);
      t.check((await later.connect())?.reasonCode === 0, "with the whole renewal a new client is not let in");
      const started = await runProgram(
        [
          "serve",
          "--listen",
          "tls://127.0.0.1:0",
          "--tls-cert",
          certFile,
          "--tls-key",
          old.keyFile,
          "--store",
          "memory",
        ],
        { script: t.server.script },
      );
      t.check(started.exit === "exit code 2", `started with a key of another certificate: ${started.exit}`);
    },
  },
  {
    id: "46.4",
    title: "SIGHUP where there is nothing to read",
    expected: "the program goes on",
    on: { ...ALONE, access: [false] },
    standsAlone: true,
    async run(t) {
      const program = await t.serve(["--listen", "tcp://127.0.0.1:0", "--store", "memory"]);
      program.kill("SIGHUP");
      await sleep(500);
      t.check(program.exit === undefined, `the process ended: ${program.exit}`);
    },
  },
];

interface Files {
  readonly users?: string;
  readonly acl?: string;
  readonly aclIsDirectory?: boolean;
}

async function refuses(t: Context, name: string, files: Files, message: RegExp): Promise<void> {
  const directory = t.directory();
  const [usersFile, aclFile] = [join(directory, "users"), join(directory, "acl")];
  writeFileSync(usersFile, files.users ?? `alice:${HASH}\n`);
  writeFileSync(aclFile, files.acl ?? "");
  const acl = files.aclIsDirectory === true ? directory : aclFile;
  const args = ["serve", "--listen", "tcp://127.0.0.1:0", "--store", "memory", "--users", usersFile, "--acl", acl];
  const { exit, stderr } = await runProgram(args, { script: t.server.script, limitMs: 40_000 });
  t.check(exit === "exit code 2", `${name}: ${exit}`);
  t.check(message.test(stderr), `${name}: the message does not say where and what: ${stderr.slice(0, 200)}`);
}
