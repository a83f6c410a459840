import { execFileSync } from "node:child_process";
import { chmodSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { connect as connectSocket } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createCertificate } from "../src/certificate.ts";
import { mosquittoPub, mosquittoSub } from "../src/mosquitto.ts";
import { connectMqttJs } from "../src/mqttjs.ts";
import { builtProgram, temporaryDirectory } from "../src/paths.ts";
import { describeWithPeers } from "../src/peers.ts";
import { Program } from "../src/program.ts";
import { type Server, startServer, tidewire } from "../src/tidewire.ts";
import { until } from "../src/until.ts";

const MEMORY = ["--listen", "tcp://127.0.0.1:0", "--store", "memory"];

/** `tidewire passwd`, with the password on standard input. */
async function setPassword(file: string, user: string, password: string): Promise<void> {
  const program = tidewire(["passwd", file, user], { input: `${password}\n` });
  expect(await program.exited, program.output()).toEqual({ code: 0, signal: null });
}

describe("tidewire passwd", () => {
  it("makes the file, for its owner only, and keeps other lines when a password changes", async () => {
    const file = join(temporaryDirectory(), "users");
    await setPassword(file, "alice", "one");
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const [alice = ""] = readFileSync(file, "utf8").split("\n");
    expect(alice).toMatch(/^alice:\$scrypt\$/);
    expect(alice).not.toContain("one");

    writeFileSync(file, `# gauges\n${alice}\n`);
    await setPassword(file, "bob", "two");
    await setPassword(file, "bob", "three");
    const lines = readFileSync(file, "utf8").split("\n");
    expect(lines).toEqual(["# gauges", alice, expect.stringMatching(/^bob:/), ""]);
  });

  it.each([
    [["passwd", "FILE", "a:b"], "secret", /the user name has a ":".*; choose another/],
    [["passwd", "FILE", "alice"], "\n", /the password is empty; nothing was changed/],
    [["passwd", "FILE", "alice"], "x".repeat(65_536), /too long for MQTT/],
    [["passwd", "/nowhere/users", "alice"], "secret", /cannot change \/nowhere\/users: ENOENT; name a file/],
  ])("refuses %j in one line, and changes nothing", async (args, input, message) => {
    const file = join(temporaryDirectory(), "users");
    const program = tidewire(
      args.map((arg) => (arg === "FILE" ? file : arg)),
      { input },
    );
    expect(await program.exited).toEqual({ code: 2, signal: null });
    expect(program.stderr).toEqual([expect.stringMatching(message)]);
    expect(statSync(file, { throwIfNoEntry: false })).toBeUndefined();
  });
});

describe("what is no file", () => {
  // A FIFO held `serve` and `passwd` up for ever, without a word.
  const directory = temporaryDirectory();
  const pipe = join(directory, "pipe");

  beforeAll(() => {
    execFileSync("mkfifo", [pipe]);
  });

  it.each([
    ["a named pipe", pipe],
    ["a directory", directory],
    ["a device", "/dev/zero"],
  ])("is refused in one line: %s", async (kind, file) => {
    const own = join(directory, "own");
    for (const args of [
      ["passwd", file, "alice"],
      ["serve", ...MEMORY, "--users", file],
      ["serve", ...MEMORY, "--users", own, "--acl", file],
      ["serve", "--listen", "tls://127.0.0.1:0", "--store", "memory", "--tls-cert", file, "--tls-key", own],
    ]) {
      writeFileSync(own, "");
      const program = tidewire(args, { input: "secret\n" });
      expect(await program.exited, args.join(" ")).toEqual({ code: 2, signal: null });
      expect(program.stderr.filter((line) => line.startsWith("tidewire: "))).toEqual([
        expect.stringContaining(`${file}${args[0] === "passwd" ? ": it" : ""} is ${kind}, not a file; `),
      ]);
    }
  });

  it("may be a pipe that the shell made for it", async () => {
    await setPassword(join(directory, "users"), "alice", "one");
    const command = `exec "$0" "$1" serve ${MEMORY.join(" ")} --users <(sleep 0.2; cat "$2")`;
    const script = builtProgram("server", "tidewire.js");
    const program = new Program("bash", ["-c", command, process.execPath, script, join(directory, "users")]);
    await until("the broker is ready", () => program.stdout.find((line) => line === "ready"));
    expect(await program.stop()).toEqual({ code: 0, signal: null });
  });
});

describe("tidewire serve --users", () => {
  const directory = temporaryDirectory();
  const usersFile = join(directory, "users");
  const aclFile = join(directory, "acl");
  let server: Server;

  beforeAll(async () => {
    await setPassword(usersFile, "alice", "one");
    await setPassword(usersFile, "bob", "two");
    writeFileSync(aclFile, "pattern write up/%u/#\nuser alice\ntopic read up/#\ntopic deny up/bob/private\n");
    server = await startServer([...MEMORY, "--users", usersFile, "--acl", aclFile]);
  });

  afterAll(async () => {
    expect(await server.program.stop()).toEqual({ code: 0, signal: null });
  });

  const url = () => `mqtt://127.0.0.1:${server.ports[0]}`;
  const connect = (username: string, password: string, protocolVersion: 4 | 5 = 5) =>
    connectMqttJs(url(), { username, password, protocolVersion });

  it.each([
    [4, 4, 5],
    [5, 0x86, 0x87],
  ] as const)("version %i: answers a wrong password with %i, and none with %i", async (version, wrong, none) => {
    for (const [username, password] of [
      ["alice", "two"],
      ["carol", "one"],
    ] as const) {
      await expect(connect(username, password, version)).rejects.toMatchObject({ code: wrong });
    }
    await expect(connectMqttJs(url(), { protocolVersion: version })).rejects.toMatchObject({ code: none });
    const { client } = await connect("alice", "one", version);
    await client.endAsync();
  });

  it.each([
    [4, /Unspecified error/],
    [5, /Not authorized/],
  ] as const)("version %i: keeps to the rules for topics", async (version, refused) => {
    const alice = await connect("alice", "one", version);
    const bob = await connect("bob", "two", version);
    await expect(bob.client.subscribeAsync("up/#")).rejects.toThrow(refused);
    await alice.client.subscribeAsync("up/#", { qos: 1 });

    await bob.client.publishAsync("up/bob/heat", "21", { qos: 1 });
    await bob.client.publishAsync("up/bob/private", "for nobody", { qos: 1 });
    const forged = bob.client.publishAsync("up/alice/heat", "99", { qos: 1 });
    // Before MQTT 5 there is no way to say no.
    if (version === 5) {
      await expect(forged).rejects.toMatchObject({ code: 0x87 });
    } else {
      await forged;
    }
    await bob.client.publishAsync("up/bob/end", "", { qos: 1 });
    await alice.message("up/bob/end");
    expect(alice.received.map(({ topic }) => topic)).toEqual(["up/bob/heat", "up/bob/end"]);

    await alice.client.endAsync();
    await bob.client.endAsync();
  });

  it("refuses a client whose will is against the rules", async () => {
    const will = { topic: "up/alice/gone", payload: Buffer.from("x"), qos: 1, retain: false } as const;
    const options = { username: "bob", password: "two", protocolVersion: 5, will } as const;
    await expect(connectMqttJs(url(), options)).rejects.toMatchObject({ code: 0x87 });
  });

  it("gives nobody the session of another user", async () => {
    const clientId = "gauge-7";
    const alice = await connectMqttJs(url(), { username: "alice", password: "one", protocolVersion: 5, clientId });
    const bob = { username: "bob", password: "two", clientId, clean: false } as const;
    await expect(connectMqttJs(url(), { ...bob, protocolVersion: 5 })).rejects.toMatchObject({ code: 0x85 });
    await expect(connectMqttJs(url(), { ...bob, protocolVersion: 4 })).rejects.toMatchObject({ code: 2 });
    expect(alice.client.connected).toBe(true);
    await alice.client.endAsync();
    await (await connectMqttJs(url(), { ...bob, protocolVersion: 5, clean: true })).client.endAsync();
  });

  it("reads the files again on SIGHUP, ends whose password has changed, and puts up with a bad file", async () => {
    const alice = await connect("alice", "one");
    const bob = await connect("bob", "two");
    const reasons: (number | undefined)[] = [];
    bob.client.on("disconnect", ({ reasonCode }) => reasons.push(reasonCode));
    await setPassword(usersFile, "bob", "three");
    server.program.kill("SIGHUP");
    await until("bob's end", () => reasons.length > 0);
    expect(reasons).toEqual([0x87]);
    await expect(connect("bob", "two")).rejects.toMatchObject({ code: 0x86 });
    await (await connect("bob", "three")).client.endAsync();

    const good = readFileSync(usersFile, "utf8");
    writeFileSync(usersFile, "mallory\n");
    server.program.kill("SIGHUP");
    const said = () => server.program.stderr.find((line) => line.includes("nothing is changed"));
    expect(await until("the complaint", said)).toMatch(/users, line 1: this is not NAME:HASH; write lines with/);
    writeFileSync(usersFile, good);
    expect(alice.client.connected).toBe(true);
    await alice.client.endAsync();
    await (await connect("alice", "one")).client.endAsync();
    await setPassword(usersFile, "bob", "two");
    server.program.kill("SIGHUP");
    await until("bob's old password", async () => {
      const bobAgain = await connect("bob", "two").catch(() => undefined);
      await bobAgain?.client.endAsync();
      return bobAgain !== undefined;
    });
  });

  it("lets in clients without a name where that is said, under the rules for them", async () => {
    const open = await startServer([...MEMORY, "--users", usersFile, "--acl", aclFile, "--allow-anonymous"]);
    const openUrl = `mqtt://127.0.0.1:${open.ports[0]}`;
    const { client } = await connectMqttJs(openUrl, { protocolVersion: 5 });
    await expect(client.publishAsync("up/alice/heat", "99", { qos: 1 })).rejects.toMatchObject({ code: 0x87 });
    await client.endAsync();
    const wrong = { username: "alice", password: "two", protocolVersion: 5 } as const;
    await expect(connectMqttJs(openUrl, wrong)).rejects.toMatchObject({ code: 0x86 });
    await open.program.stop();
  });

  it("lets no other client wait while passwords are checked", async () => {
    const alice = await connect("alice", "one");
    await alice.client.subscribeAsync("up/alice/#");
    const guesses = Array.from({ length: 20 }, (_, index) => connect("alice", `guess ${index}`).catch(() => "refused"));
    await alice.client.publishAsync("up/alice/echo", "", { qos: 1 });
    const done = Promise.all(guesses).then(() => "all guesses");
    expect(await Promise.race([done, alice.message("up/alice/echo").then(() => "echo")])).toBe("echo");
    // Her password was right before: she does not have to wait for them either.
    const again = connect("alice", "one");
    expect(await Promise.race([done, again.then(() => "again")])).toBe("again");
    expect(await Promise.all(guesses)).toEqual(guesses.map(() => "refused"));
    for (const { client } of [alice, await again]) {
      await client.endAsync();
    }
  });

  describeWithPeers(["mosquitto_pub", "mosquitto_sub"], "with mosquitto_pub and mosquitto_sub", () => {
    it.each(["311", "5"])("version %s: needs the right password, and keeps to the rules", async (version) => {
      const port = server.ports[0] ?? 0;
      const as = (user: string, password: string) => ["-V", version, "-q", "1", "-u", user, "-P", password];
      const publish = (user: string, password: string) =>
        mosquittoPub(port, [...as(user, password), "-t", "up/bob/lamp", "-m", `says ${user}`]);
      const subscriber = await mosquittoSub(port, [...as("alice", "one"), "-t", "up/#", "-F", "got %p", "-C", "1"]);
      await expect(publish("bob", "wrong")).rejects.toThrow(/bad user name or password/i);
      await publish("alice", "one");
      await publish("bob", "two");
      await subscriber.exited;
      expect(subscriber.stdout).toContain("got says bob");
    });
  });
});

describe("tidewire serve --users with passwords that wait", () => {
  // Attack 54: it took over a minute to end. Twenty seconds of hashing wait here; `stop` allows fifteen for all.
  it("ends on SIGTERM without checking them", async () => {
    const usersFile = join(temporaryDirectory(), "users");
    await setPassword(usersFile, "alice", "one");
    const server = await startServer([...MEMORY, "--users", usersFile, "--log-level", "error"]);
    const connectPacket = connectAs("alice", "wrong");
    const sockets = Array.from({ length: 450 }, () => {
      const socket = connectSocket(server.ports[0] ?? 0, "127.0.0.1", () => socket.write(connectPacket));
      return socket.on("error", () => {});
    });
    // The first answer: by then the others wait.
    await Promise.race(sockets.map((socket) => new Promise((resolve) => socket.once("data", resolve))));
    expect(await server.program.stop()).toEqual({ code: 0, signal: null });
    for (const socket of sockets) {
      socket.destroy();
    }
  });
});

/** A CONNECT of MQTT 3.1.1 with Clean Session and no client identifier. */
function connectAs(username: string, password: string): Buffer {
  const text = (value: string): Buffer => {
    const bytes = Buffer.from(value);
    return Buffer.concat([Buffer.of(0, bytes.length), bytes]);
  };
  const header = [text("MQTT"), Buffer.of(4, 0b1100_0010, 0, 60)];
  const body = Buffer.concat([...header, text(""), text(username), text(password)]);
  return Buffer.concat([Buffer.of(0x10, body.length), body]);
}

it("tells a password from the same with a zero byte behind it", async () => {
  const usersFile = join(temporaryDirectory(), "users");
  await setPassword(usersFile, "alice", "pw");
  const server = await startServer([...MEMORY, "--users", usersFile]);
  const url = `mqtt://127.0.0.1:${server.ports[0]}`;
  const wrong = { username: "alice", password: "pw\0", protocolVersion: 5 } as const;
  await expect(connectMqttJs(url, wrong)).rejects.toMatchObject({ code: 0x86 });
  await (await connectMqttJs(url, { ...wrong, password: "pw" })).client.endAsync();
  await server.program.stop();
});

it("warns of a users file that others can read, at the start and at each reload", async () => {
  const usersFile = join(temporaryDirectory(), "users");
  writeFileSync(usersFile, "");
  chmodSync(usersFile, 0o644);
  const { program } = await startServer([...MEMORY, "--users", usersFile]);
  const warnings = () =>
    program.stderr.filter((line) => /users can be read by every user .* run \\"chmod o= /.test(line));
  await until("the warning", () => warnings().length === 1);
  program.kill("SIGHUP");
  await until("the warning again", () => warnings().length === 2);
  await program.stop();
});

describe("a device agent and tidewire serve --users", () => {
  it("connects over TLS with its name and password, and says what is wrong with them", async () => {
    const directory = temporaryDirectory();
    const [usersFile, passwordFile] = [join(directory, "users"), join(directory, "password")];
    await setPassword(usersFile, "gauge-7", "one");
    const { certFile, keyFile } = await createCertificate();
    const server = await startServer([
      ...["--listen", "tls://127.0.0.1:0", "--store", "memory", "--users", usersFile],
      ...["--tls-cert", certFile, "--tls-key", keyFile],
    ]);
    const bin = builtProgram("device-agent", "device-agent.js");
    const broker = ["--broker", `tls://127.0.0.1:${server.ports[0]}`, "--ca", certFile];
    const args = [bin, ...broker, "--id", "gauge", "--username", "gauge-7", "--password-file", passwordFile];
    writeFileSync(passwordFile, "one\n");
    const agent = new Program(process.execPath, args);
    await agent.line(/^online as gauge at 127\.0\.0\.1/);
    expect(await agent.stop()).toEqual({ code: 0, signal: null });

    writeFileSync(passwordFile, "two\n");
    const wrong = new Program(process.execPath, args);
    expect(await wrong.exited).toEqual({ code: 1, signal: null });
    expect(wrong.stderr.at(-1)).toMatch(/; check --username and --password-file$/);
    await server.program.stop();
  });
});

describeWithPeers(["mosquitto_pub"], "tidewire serve --tls-client-ca", () => {
  it("lets in who shows a certificate of the authority, under the name in it where --client-id says so", async () => {
    const usersFile = join(temporaryDirectory(), "users");
    await setPassword(usersFile, "gauge-7", "one");
    const [own, client, stranger] = [await createCertificate(), await createCertificate(), await createCertificate()];
    const server = await startServer([
      ...["--listen", "tls://127.0.0.1:0", "--store", "memory", "--users", usersFile, "--client-id", "%n"],
      ...["--tls-cert", own.certFile, "--tls-key", own.keyFile, "--tls-client-ca", client.certFile],
    ]);
    const port = server.ports[0] ?? 0;
    const publish = (id: string, shown?: { certFile: string; keyFile: string }) =>
      mosquittoPub(port, [
        ...["--cafile", own.certFile, "-u", "gauge-7", "-P", "one", "-i", id, "-q", "1", "-t", "a", "-m", "b"],
        ...(shown === undefined ? [] : ["--cert", shown.certFile, "--key", shown.keyFile]),
      ]);
    await publish("tidewire test", client);
    await expect(publish("other", client)).rejects.toThrow(/ended with [1-9]/);
    await expect(publish("tidewire test", stranger)).rejects.toThrow(/ended with [1-9]/);
    await expect(publish("tidewire test")).rejects.toThrow(/ended with [1-9]/);
    await publish("tidewire test", client);
    await server.program.stop();
  });
});

describeWithPeers(["mosquitto_pub", "mosquitto_sub"], "tidewire serve with limits", () => {
  it("keeps to them", async () => {
    const limits = ["--max-connections", "2", "--max-packet-size", "1000", "--max-queue", "2"];
    const server = await startServer([...MEMORY, ...limits, "--log-level", "debug"]);
    const port = server.ports[0] ?? 0;
    const session = ["-V", "5", "-i", "reader", "-c", "-x", "300", "-q", "1", "-t", "news"];
    const before = await mosquittoSub(port, session);
    const { client } = await connectMqttJs(`mqtt://127.0.0.1:${port}`, { protocolVersion: 4 });
    // One too many is closed before it has said anything.
    await expect(mosquittoPub(port, ["-t", "news", "-m", "none"])).rejects.toThrow(/ended with [1-9]/);

    await before.stop("SIGKILL");
    await until("its end", () => server.program.stderr.some((line) => line.includes('"disconnected"')));
    const publish = (text: string) => client.publishAsync("news", text, { qos: 1 });
    for (const text of ["one", "two", "three"]) {
      await publish(text);
    }
    const after = await mosquittoSub(port, [...session, "-F", "got %p", "-C", "3"]);
    await after.line(/got two/);
    await publish("four");
    await after.exited;
    expect(after.stdout.filter((line) => line.startsWith("got "))).toEqual(["got one", "got two", "got four"]);

    const closed = new Promise<void>((resolve) => client.once("close", () => resolve()));
    client.publish("news", "x".repeat(1000));
    await closed;
    await client.endAsync(true);
    await server.program.stop();
  });
});

describe("tidewire serve on an address that others reach", () => {
  it("warns where anybody may come, or passwords can be read", async () => {
    const usersFile = join(temporaryDirectory(), "users");
    writeFileSync(usersFile, "");
    const listen = ["--listen", "tcp://0.0.0.0:0", "--store", "memory"];
    for (const [args, warning] of [
      [[], /whoever reaches it may publish and subscribe; add --users FILE/],
      [["--users", usersFile], /passwords can be read on the way; use tls:\/\/ or wss:\/\//],
    ] as const) {
      const { program } = await startServer([...listen, ...args]);
      await until("the warning", () => program.stderr.some((line) => warning.test(line)));
      await program.stop();
    }
  });
});
