import { DEFAULT_LIMITS } from "@tidewire/broker";
import { describe, expect, it } from "vitest";
import { parseCommandLine, type ServeOptions } from "./args.ts";
import { UsageError } from "./errors.ts";
import { HELP } from "./help.ts";
import { LIMIT_GROUPS } from "./limit-options.ts";

describe("limits", () => {
  const options = Object.values(LIMIT_GROUPS).flatMap((group) => Object.entries(group));

  it("can all be set: whoever adds one to the broker gives it an option", () => {
    expect(options.map(([limit]) => limit).sort()).toEqual(Object.keys(DEFAULT_LIMITS).sort());
    expect(new Set(options.map(([, { option }]) => option)).size).toBe(options.length);
  });

  it.each(options)("%s is read from its option, in the broker's own unit", (limit, { option, kind }) => {
    const model = DEFAULT_LIMITS[limit as keyof typeof DEFAULT_LIMITS];
    // One packet of the largest size has to fit into a queue.
    const queue = limit === "maximumPacketSize" ? ["--max-queue-bytes", "1000000000"] : [];
    const small = limit === "queueBytes" ? ["--max-packet-size", "30"] : [];
    const least = limit === "queueBytes" ? 30 : "minimum" in kind ? kind.minimum : 0;
    const values = "choices" in kind ? kind.choices : [String(least), String(kind.maximum)];
    for (const value of values) {
      const read = serve(`--${option}`, value, ...queue, ...small).limits[limit as keyof typeof DEFAULT_LIMITS];
      expect(typeof read).toBe(typeof model);
      expect(String(read)).toBe(
        typeof model === "boolean"
          ? String(value === "on")
          : "factor" in kind
            ? String(Number(value) * kind.factor)
            : value,
      );
    }
    if (!("choices" in kind) && typeof model === "number") {
      expect(model / kind.factor).toBeGreaterThanOrEqual(kind.minimum);
      expect(model / kind.factor).toBeLessThanOrEqual(kind.maximum);
    }
    expect(HELP.limits).toContain(`--${option} `);
  });
});

describe("parseCommandLine", () => {
  it("serves on the usual ports with a durable store when nothing else is said", () => {
    const options = serve();
    expect(options.listen.map((target) => target.text)).toEqual(["tcp://127.0.0.1:1883", "ws://127.0.0.1:8080/mqtt"]);
    expect(options.store).toEqual({ kind: "directory", directory: "tidewire-data", fsync: "always" });
    expect(options).toMatchObject({ origins: [], tls: undefined, logLevel: "info" });
  });

  it("takes --listen and --origin several times", () => {
    const options = serve(
      ...["--listen", "tcp://[::1]:0", "--listen=ws://0.0.0.0:9001/mqtt"],
      ...["--origin", "https://a.example", "--origin", "http://b.example:8080/"],
    );
    expect(options.listen).toMatchObject([
      { scheme: "tcp", host: "::1", port: 0, path: "/" },
      { scheme: "ws", host: "0.0.0.0", port: 9001, path: "/mqtt" },
    ]);
    expect(options.origins).toEqual(["https://a.example", "http://b.example:8080"]);
  });

  it("knows the memory store and the three ways to write to disk", () => {
    expect(serve("--store", "memory").store).toEqual({ kind: "memory" });
    expect(serve("--store", "/var/lib/mqtt", "--fsync", "os").store).toEqual({
      kind: "directory",
      directory: "/var/lib/mqtt",
      fsync: "os",
    });
  });

  it("reads the names of this machine, and refuses what no Host header says", () => {
    expect(serve().hosts).toEqual([]);
    expect(serve("--host", "Broker.example", "--host", "[fd00::1]").hosts).toEqual(["broker.example", "[fd00::1]"]);
    for (const host of ["*", "broker.example:80", "http://broker.example", "a/b"]) {
      expect(() => serve("--host", host)).toThrow(/is not a host name; write the name alone/);
    }
  });

  it("reads which pages and proxies are believed", () => {
    expect(serve("--origin", "*").origins).toBe("*");
    expect(serve()).toMatchObject({ origins: [], trustedProxies: [], proxyProtocol: false, wsPingMs: 0 });
    const args = ["--trusted-proxy", "10.0.0.0/8", "--trusted-proxy", "fd00::1", "--proxy-protocol", "--ws-ping", "30"];
    expect(serve(...args)).toMatchObject({
      trustedProxies: ["10.0.0.0/8", "fd00::1"],
      proxyProtocol: true,
      wsPingMs: 30_000,
    });
  });

  it("reads who may connect", () => {
    expect(serve().access).toBeUndefined();
    expect(serve("--users", "u").access).toEqual({
      usersFile: "u",
      aclFile: undefined,
      allowAnonymous: false,
      clientIds: [],
      checkRetained: false,
    });
    const options = ["--users", "u", "--acl", "a", "--allow-anonymous", "--client-id", "%u", "--check-retained"];
    expect(serve(...options).access).toEqual({
      usersFile: "u",
      aclFile: "a",
      allowAnonymous: true,
      clientIds: ["%u"],
      checkRetained: true,
    });
  });

  it("reads limits, and leaves the others to the broker", () => {
    expect(serve().limits).toEqual({});
    expect(serve("--max-connections", "20", "--max-inflight=1", "--max-session-expiry", "0").limits).toEqual({
      connections: 20,
      inflight: 1,
      sessionExpirySeconds: 0,
    });
    expect(HELP.serve).toMatch(/--max-packet-size BYTES .*\(1048576\)/);
  });

  it("reads demo, passwd and backup", () => {
    expect(parseCommandLine(["demo", "--http-port", "0", "--mqtt-port", "1884"])).toMatchObject({
      name: "demo",
      options: { host: "127.0.0.1", httpPort: 0, mqttPort: 1884 },
    });
    expect(parseCommandLine(["passwd", "users", "alice"])).toEqual({
      name: "passwd",
      options: { file: "users", user: "alice" },
    });
    expect(parseCommandLine(["backup", "copy", "--store", "data"])).toEqual({
      name: "backup",
      options: { from: "data", to: "copy" },
    });
  });

  it.each([
    [[], "tidewire"],
    [["--help"], "tidewire"],
    [["help", "serve"], "serve"],
    [["serve", "-h"], "serve"],
    [["help", "limits"], "limits"],
    [["demo", "--help"], "demo"],
    [["passwd", "--help"], "passwd"],
    [["backup", "--help"], "backup"],
  ] as const)("answers %j with help", (args, topic) => {
    expect(parseCommandLine(args)).toEqual({ name: "help", topic });
    expect(HELP[topic]).toMatch(/^Usage: tidewire/m);
  });

  it.each([
    [["serve", "--prot", "1"], /unknown option --prot; run "tidewire serve --help"/],
    [["serve", "--lisen", "1"], /unknown option --lisen \(did you mean "--listen"\?\); run "tidewire serve --help"/],
    [["serv"], /unknown command "serv" \(did you mean "serve"\?\); use serve/],
    [["help", "limit"], /there is no help for "limit" \(did you mean "limits"\?\); ask for serve, /],
    [["serve", "--constructor"], /unknown option --constructor/],
    [["serve", "extra"], /does not know what to do with "extra"/],
    [["serve", "--listen"], /--listen needs a value/],
    [["serve", "--listen", "1883"], /"1883" is not a URL; write it like tcp:/],
    [["serve", "--listen", "localhost:1883"], /does not start with tcp:\/\//],
    [["serve", "--listen", "http://127.0.0.1:80"], /does not start with tcp:\/\//],
    [["serve", "--listen", "tcp://127.0.0.1:99999"], /is not a URL/],
    [["serve", "--listen", "tcp://:1883"], /is not a URL|names no address/],
    [["serve", "--listen", "tcp://127.0.0.1:1883/mqtt"], /has a path/],
    [["serve", "--listen", "ws://127.0.0.1:80/mqtt?x"], /query/],
    [["serve", "--listen", "tls://127.0.0.1:8883"], /needs a certificate; add --tls-cert FILE/],
    [["serve", "--tls-cert", "a.pem"], /without its key; add --tls-key FILE/],
    [["serve", "--tls-key", "a.pem"], /without its certificate; add --tls-cert FILE/],
    [
      ["serve", "--tls-client-ca", "a.pem"],
      /without the broker's own certificate; add --tls-cert FILE and --tls-key FILE/,
    ],
    [["serve", "--users", "a", "--client-id", "%n-*"], /clients show none; add --tls-client-ca FILE, or write %u/],
    [["serve", "--origin", "example.org"], /is not an origin; write .* or "\*" for every page/],
    [["serve", "--origin", "*", "--origin", "https://a.example"], /lets every page in, and others are named beside it/],
    [["serve", "--trusted-proxy", "proxy.example"], /"proxy.example" is no address or block; write it like 10.0.0.7/],
    [["serve", "--trusted-proxy", "10.0.0.0/33"], /is no address or block/],
    [["serve", "--trusted-proxy", "0.0.0.0/0"], /believes everybody; name the proxies' own addresses/],
    [["serve", "--trusted-proxy", "::/0"], /believes everybody/],
    [["serve", "--proxy-protocol"], /without --trusted-proxy: anybody could take any address; add --trusted-proxy/],
    [["serve", "--ws-ping", "3601"], /from 0 to 3600/],
    [["serve", "--origin", "https://example.org/app"], /is not an origin/],
    [["serve", "--store", "a", "--store", "b"], /--store is given twice/],
    [["serve", "--store", "memory", "--fsync", "os"], /leave one of them out/],
    [["serve", "--fsync", "never"], /"never" is not known; use always, interval, os/],
    [["serve", "--log-level", "loud"], /use debug, info/],
    [["demo", "--http-port", "65536"], /is not a port; give a number from 0 to 65535/],
    [["demo", "--mqtt-port", "-1"], /--mqtt-port/],
    [["serve", "--help=yes"], /--help takes no value/],
    [["serve", "--acl", "a"], /--acl is given without --users.*; add --users FILE/],
    [["serve", "--allow-anonymous"], /everybody may connect anyway; leave it out/],
    [["serve", "--users", "u", "--allow-anonymous=no"], /--allow-anonymous takes no value/],
    [["serve", "--max-connections", "0"], /"0" is not such a number; give a number from 1 to /],
    [["serve", "--max-queue", "1e3"], /--max-queue "1e3"/],
    [["serve", "--max-packet-size", "999999999"], /from 30 to 268435455/],
    [["serve", "--max-packet-size", "29"], /from 30 to 268435455/],
    [["serve", "--max-qos", "3"], /--max-qos "3" is not known; use 0, 1, 2/],
    [["serve", "--retain", "no"], /--retain "no" is not known; use on, off/],
    [
      ["serve", "--max-queue-bytes", "1000"],
      /of --max-packet-size 1048576 could never wait in --max-queue-bytes 1000;/,
    ],
    [["passwd", "users"], /needs a file and a user name; write "tidewire passwd FILE USER"/],
    [["passwd", "users", "alice", "secret"], /"secret"; name one user/],
    [["backup"], /needs a directory/],
    [["backup", "a", "b"], /"b"/],
    [["check-store"], /needs a directory; write "tidewire check-store DIR"/],
    [["repair", "a"], /needs two directories; write "tidewire repair DIR TO"/],
    [["repair", "a", "b", "c"], /"c"/],
    [["start"], /unknown command "start"; use serve, passwd, backup, check-store, repair, delete-session or demo/],
    [["--port"], /unknown option --port/],
  ])("refuses %j", (args, message) => {
    const parse = () => parseCommandLine(args);
    expect(parse).toThrow(UsageError);
    expect(parse).toThrow(message);
  });

  it("does not repeat a password that stands in a URL", () => {
    const parse = () => parseCommandLine(["serve", "--listen", "tcp://user:secret@127.0.0.1:1883"]);
    expect(parse).toThrow(/user name or password/);
    expect(parse).not.toThrow(/secret/);
  });
});

function serve(...args: string[]): ServeOptions {
  const command = parseCommandLine(["serve", ...args]);
  if (command.name !== "serve") {
    throw new Error(`expected serve, got ${command.name}`);
  }
  return command.options;
}
