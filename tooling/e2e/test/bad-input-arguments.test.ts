import { existsSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { temporaryDirectory } from "../src/paths.ts";
import { freePort } from "../src/ports.ts";
import { runTidewire } from "../src/tidewire.ts";

// Every program that is started takes a second on a quiet machine, and some tests start five.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

describe("tidewire with arguments that are wrong", () => {
  let blocker: Server;
  let taken: number;

  beforeAll(async () => {
    taken = await freePort();
    blocker = createServer();
    await new Promise<void>((resolve) => blocker.listen(taken, "127.0.0.1", resolve));
  });

  afterAll(() => {
    blocker.close();
  });

  /** One line on standard error that says what is wrong and what to do; nothing on standard output; exit code 2. */
  async function expectRefusal(args: readonly string[], cause: RegExp, remedy: RegExp): Promise<void> {
    const { code, stdout, stderr } = await runTidewire(args);
    expect({ code, stdout }, stderr).toEqual({ code: 2, stdout: "" });
    expect(stderr.split("\n")).toHaveLength(1);
    expect(stderr).toMatch(cause);
    expect(stderr).toMatch(remedy);
  }

  it("names a TCP port in use", async () => {
    const args = ["serve", "--listen", `tcp://127.0.0.1:${taken}`, "--store", "memory"];
    await expectRefusal(args, new RegExp(`cannot listen on tcp://127.0.0.1:${taken}: the port is in use`), /--listen/);
  });

  it("names a WebSocket port in use, also when another listener was fine", async () => {
    const listen = ["--listen", "tcp://127.0.0.1:0", "--listen", `ws://127.0.0.1:${taken}/mqtt`];
    await expectRefusal(["serve", ...listen, "--store", "memory"], /the port is in use/, /--listen/);
  });

  it("does not look for another program where two --listen are for one port", async () => {
    const port = await freePort();
    const listen = (...hosts: string[]) => hosts.flatMap((host) => ["--listen", `tcp://${host}:${port}`]);
    const serve = (...hosts: string[]) => ["serve", ...listen(...hosts), "--store", "memory"];
    await expectRefusal(serve("127.0.0.1", "127.0.0.1"), /are for one address and port/, /change one port/);
    // A system without IPv6 cannot come so far.
    if (existsSync("/proc/net/if_inet6")) {
      const cause = /\[::\] takes IPv4 connections, too \(dual stack, as ipv6Only is off\)/;
      await expectRefusal(serve("0.0.0.0", "[::]"), cause, /leave out the IPv4 address/);
      await expectRefusal(serve("[::]", "0.0.0.0"), cause, /leave out the IPv4 address/);
    }
  });

  it("names the demo's option for each of its ports", async () => {
    const demo = (http: number, mqtt: number) => [
      ...["demo", "--http-port", String(http), "--mqtt-port", String(mqtt), "--store", "memory"],
    ];
    await expectRefusal(demo(taken, 0), /the port is in use/, /--http-port/);
    await expectRefusal(demo(0, taken), /the port is in use/, /--mqtt-port/);
  });

  it("names an unknown option", () => expectRefusal(["serve", "--prot", "1883"], /unknown option --prot/, /--help/));

  it.each(["1883", "localhost:1883", "http://127.0.0.1:1883", "tcp://127.0.0.1:70000", "tcp://127.0.0.1:1883/path"])(
    "names the malformed --listen %s",
    (listen) => expectRefusal(["serve", "--listen", listen], /--listen/, /write it like tcp:\/\/|leave the path out/),
  );

  it("names an address that is not this machine's", async () => {
    // TEST-NET-1: nobody has it.
    const args = ["serve", "--listen", "tcp://192.0.2.1:1883", "--store", "memory"];
    await expectRefusal(args, /has no such address/, /127\.0\.0\.1/);
  });

  it("names a certificate that is not there", async () => {
    const files = ["--tls-cert", "/nowhere/cert.pem", "--tls-key", "/nowhere/key.pem"];
    const args = ["serve", "--listen", "tls://127.0.0.1:0", ...files, "--store", "memory"];
    await expectRefusal(args, /--tls-cert \/nowhere\/cert.pem cannot be read/, /check the path/);
  });

  it("names the file, the line and the reason of what is wrong with users and rules", async () => {
    const directory = temporaryDirectory();
    const users = join(directory, "users");
    const rules = join(directory, "acl");
    const args = ["serve", "--listen", "tcp://127.0.0.1:0", "--store", "memory", "--users", users, "--acl", rules];
    await expectRefusal(args, /--users .*users cannot be read \(ENOENT\)/, /make it with "tidewire passwd FILE USER"/);
    writeFileSync(users, "# the lab\nalice:secret\n");
    await expectRefusal(
      args,
      /users, line 2: user "alice" has no scrypt hash of the right form and cost/,
      /tidewire passwd FILE USER/,
    );
    writeFileSync(users, "");
    await expectRefusal(args, /--acl .*acl cannot be read \(ENOENT\)/, /check the path/);
    writeFileSync(rules, "user alice\ntopic read a/#/b\n");
    await expectRefusal(args, /acl, line 2: /, /write a topic filter such as/);
    writeFileSync(rules, "user alice\ntopic readwrite #\ntopic dney keys/#\n");
    await expectRefusal(
      args,
      /acl, line 3: "dney" is no kind of access \(did you mean "deny"\?\)/,
      /write read, write/,
    );
  });

  it("names a limit that is none", async () => {
    await expectRefusal(["serve", "--max-connections", "many"], /--max-connections "many"/, /a number from 1 to/);
  });
});

describe("tidewire with arguments that are right", () => {
  it.each([
    ["--help"],
    ["serve", "--help"],
    ["demo", "--help"],
    ["passwd", "--help"],
    ["backup", "--help"],
    ["--version"],
  ])("answers %j on standard output", async (...args) => {
    const { code, stdout, stderr } = await runTidewire(args);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).not.toBe("");
  });
});
