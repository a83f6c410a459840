import type { BrokerLimits } from "@tidewire/broker";
import { AddressList } from "@tidewire/transport/node";
import { UsageError } from "./errors.ts";
import { LIMIT_OPTIONS, limitOptions } from "./limit-options.ts";
import { isSecure, type ListenTarget, parseListenUrl } from "./listen-url.ts";
import { didYouMean } from "./nearest.ts";
import { choice, type OptionSpecs, type ParsedOptions, parseOptions, port, single, wholeNumber } from "./options.ts";

/** What the command line asks for. */
export type Command =
  | { readonly name: "help"; readonly topic: HelpTopic }
  | { readonly name: "version" }
  | { readonly name: "serve"; readonly options: ServeOptions }
  | { readonly name: "demo"; readonly options: DemoOptions }
  | { readonly name: "passwd"; readonly options: PasswdOptions }
  | { readonly name: "backup"; readonly options: BackupOptions }
  | { readonly name: "check-store"; readonly options: CheckStoreOptions }
  | { readonly name: "repair"; readonly options: RepairOptions }
  | { readonly name: "delete-session"; readonly options: DeleteSessionOptions };

export type HelpTopic =
  | "tidewire"
  | "serve"
  | "limits"
  | "passwd"
  | "backup"
  | "check-store"
  | "repair"
  | "delete-session"
  | "demo";

/** What `serve` and `demo` have in common. */
export interface BrokerOptions {
  readonly store: StoreChoice;
  readonly logLevel: LogLevel;
}

export interface ServeOptions extends BrokerOptions {
  readonly listen: readonly ListenTarget[];
  /** Page origins whose browsers may connect; `*` for all. Empty: those of the listener's own host and port. */
  readonly origins: "*" | readonly string[];
  /** Names that mean this machine in the Host of a WebSocket on loopback, besides `localhost`. */
  readonly hosts: readonly string[];
  /** Addresses and blocks of proxies that are believed about who their clients are. */
  readonly trustedProxies: readonly string[];
  /** Whether those proxies send a PROXY header to `tcp:` and `tls:` listeners. */
  readonly proxyProtocol: boolean;
  /** Between two pings to a WebSocket; 0 for none. */
  readonly wsPingMs: number;
  readonly tls: TlsFiles | undefined;
  /** Undefined: whoever comes may connect and do anything. */
  readonly access: AccessOptions | undefined;
  readonly limits: Partial<BrokerLimits>;
}

export interface AccessOptions {
  readonly usersFile: string;
  readonly aclFile: string | undefined;
  /** Whether clients without a user name may connect, too. */
  readonly allowAnonymous: boolean;
  /** Patterns of client identifiers; see `ClientIdPatterns`. */
  readonly clientIds: readonly string[];
  /** Whether retained messages are only sent while their publisher may publish them. */
  readonly checkRetained: boolean;
}

export interface PasswdOptions {
  readonly file: string;
  readonly user: string;
}

export interface DeleteSessionOptions {
  /** The data directory. */
  readonly directory: string;
  readonly clientId: string;
}

export interface DemoOptions extends BrokerOptions {
  readonly host: string;
  readonly httpPort: number;
  readonly mqttPort: number;
}

export interface BackupOptions {
  /** The data directory to copy. */
  readonly from: string;
  /** The directory to make. */
  readonly to: string;
}

export interface CheckStoreOptions {
  readonly directory: string;
}

export interface RepairOptions {
  /** The damaged data directory. */
  readonly from: string;
  /** The directory to make. */
  readonly to: string;
}

export type StoreChoice =
  | { readonly kind: "memory" }
  | { readonly kind: "directory"; readonly directory: string; readonly fsync: Fsync };

export interface TlsFiles {
  readonly certFile: string;
  readonly keyFile: string;
  /** Authorities of the certificates that clients have to show; undefined when they show none. */
  readonly clientCaFile?: string;
}

export type Fsync = (typeof FSYNC_CHOICES)[number];
export type LogLevel = (typeof LOG_LEVELS)[number];

export const DEFAULT_LISTEN: readonly string[] = ["tcp://127.0.0.1:1883", "ws://127.0.0.1:8080/mqtt"];
export const DEFAULT_DIRECTORY = "tidewire-data";
export const DEFAULT_HTTP_PORT = 8080;
export const DEFAULT_MQTT_PORT = 1883;

/** Reads the arguments after `tidewire`; throws a `UsageError` at the first thing that is wrong. */
export function parseCommandLine(args: readonly string[]): Command {
  const [first, ...rest] = args;
  if (first === undefined || first === "--help" || first === "-h") {
    return { name: "help", topic: "tidewire" };
  }
  if (first === "help") {
    return { name: "help", topic: helpTopic(rest[0]) };
  }
  if (first === "--version" || first === "-v") {
    return { name: "version" };
  }
  if (!isCommand(first)) {
    const hint = didYouMean(first, Object.keys(OPTIONS));
    const what = first.startsWith("-") ? `unknown option ${first}` : `unknown command "${first}"${hint}`;
    throw new UsageError(
      what,
      'use serve, passwd, backup, check-store, repair, delete-session or demo, or run "tidewire --help"',
    );
  }
  const parsed = parseOptions(`tidewire ${first}`, rest, OPTIONS[first]);
  if (parsed.values.has("help")) {
    return { name: "help", topic: first };
  }
  if (first === "serve") {
    return { name: "serve", options: serveOptions(parsed) };
  }
  if (first === "demo") {
    return { name: "demo", options: demoOptions(parsed) };
  }
  if (first === "passwd") {
    return { name: "passwd", options: passwdOptions(parsed) };
  }
  if (first === "check-store") {
    return { name: "check-store", options: { directory: positionals("check-store DIR", parsed, 1)[0]! } };
  }
  if (first === "repair") {
    const [from, to] = positionals("repair DIR TO", parsed, 2);
    return { name: "repair", options: { from: from!, to: to! } };
  }
  if (first === "delete-session") {
    const [directory, clientId] = positionals("delete-session DIR CLIENT_ID", parsed, 2);
    return { name: "delete-session", options: { directory: directory!, clientId: clientId! } };
  }
  return { name: "backup", options: backupOptions(parsed) };
}

const FSYNC_CHOICES = ["always", "interval", "os"] as const;
const LOG_LEVELS = ["debug", "info", "warn", "error", "silent"] as const;

const COMMON = {
  help: { type: "boolean", short: "h" },
  store: { type: "string" },
  fsync: { type: "string" },
  "log-level": { type: "string" },
} as const satisfies OptionSpecs;

const OPTIONS = {
  serve: {
    ...COMMON,
    listen: { type: "string", multiple: true, short: "l" },
    origin: { type: "string", multiple: true },
    host: { type: "string", multiple: true },
    "trusted-proxy": { type: "string", multiple: true },
    "proxy-protocol": { type: "boolean" },
    "ws-ping": { type: "string" },
    "tls-cert": { type: "string" },
    "tls-key": { type: "string" },
    "tls-client-ca": { type: "string" },
    users: { type: "string" },
    acl: { type: "string" },
    "allow-anonymous": { type: "boolean" },
    "client-id": { type: "string", multiple: true },
    "check-retained": { type: "boolean" },
    ...LIMIT_OPTIONS,
  },
  demo: {
    ...COMMON,
    host: { type: "string" },
    "http-port": { type: "string" },
    "mqtt-port": { type: "string" },
  },
  passwd: {
    help: COMMON.help,
  },
  backup: {
    help: COMMON.help,
    store: COMMON.store,
  },
  "check-store": {
    help: COMMON.help,
  },
  repair: {
    help: COMMON.help,
  },
  "delete-session": {
    help: COMMON.help,
  },
} as const satisfies Record<string, OptionSpecs>;

function isCommand(text: string): text is keyof typeof OPTIONS {
  return Object.hasOwn(OPTIONS, text);
}

function helpTopic(text: string | undefined): HelpTopic {
  if (text === undefined || isCommand(text) || text === "limits") {
    return text ?? "tidewire";
  }
  const topics = [...Object.keys(OPTIONS), "limits"];
  throw new UsageError(`there is no help for "${text}"${didYouMean(text, topics)}`, `ask for ${topics.join(", ")}`);
}

function serveOptions(parsed: ParsedOptions): ServeOptions {
  refusePositionals("serve", parsed);
  const listen = (parsed.values.get("listen") ?? DEFAULT_LISTEN).map(parseListenUrl);
  const tls = tlsFiles(parsed);
  const secure = listen.find((target) => isSecure(target.scheme));
  if (secure !== undefined && tls === undefined) {
    throw new UsageError(`--listen ${secure.text} needs a certificate`, "add --tls-cert FILE and --tls-key FILE");
  }
  const access = accessOptions(parsed);
  if (access?.clientIds.some((pattern) => pattern.includes("%n")) && tls?.clientCaFile === undefined) {
    throw new UsageError(
      "--client-id %n stands for the name in a client's certificate, and clients show none",
      "add --tls-client-ca FILE, or write %u for the user name",
    );
  }
  return {
    ...brokerOptions(parsed, "info"),
    listen,
    tls,
    origins: origins(parsed.values.get("origin") ?? []),
    hosts: (parsed.values.get("host") ?? []).map(hostName),
    ...proxyOptions(parsed),
    wsPingMs: (wholeNumber(parsed, "ws-ping", 0, 3600) ?? 0) * 1000,
    access,
    limits: limitOptions(parsed),
  };
}

function demoOptions(parsed: ParsedOptions): DemoOptions {
  refusePositionals("demo", parsed);
  return {
    // The demo's output is for a person who wants to see the page; its log is for when something is wrong.
    ...brokerOptions(parsed, "warn"),
    host: single(parsed, "host") ?? "127.0.0.1",
    httpPort: port(parsed, "http-port", DEFAULT_HTTP_PORT),
    mqttPort: port(parsed, "mqtt-port", DEFAULT_MQTT_PORT),
  };
}

function passwdOptions(parsed: ParsedOptions): PasswdOptions {
  const [file, user, surplus] = parsed.positionals;
  if (file === undefined || user === undefined) {
    throw new UsageError("passwd needs a file and a user name", 'write "tidewire passwd FILE USER"');
  }
  if (surplus !== undefined) {
    throw new UsageError(`passwd does not know what to do with "${surplus}"`, "name one user");
  }
  return { file, user };
}

function backupOptions(parsed: ParsedOptions): BackupOptions {
  const [to, surplus] = parsed.positionals;
  if (to === undefined) {
    throw new UsageError("backup needs a directory to write to", 'write "tidewire backup DIR"');
  }
  if (surplus !== undefined) {
    throw new UsageError(`backup does not know what to do with "${surplus}"`, "name one directory");
  }
  return { from: single(parsed, "store") ?? DEFAULT_DIRECTORY, to };
}

/** Exactly so many; `usage` names them. */
function positionals(usage: string, parsed: ParsedOptions, count: number): readonly string[] {
  const command = usage.split(" ")[0];
  if (parsed.positionals.length < count) {
    const what = count === 1 ? "a directory" : "two directories";
    throw new UsageError(`${command} needs ${what}`, `write "tidewire ${usage}"`);
  }
  const surplus = parsed.positionals[count];
  if (surplus !== undefined) {
    throw new UsageError(`${command} does not know what to do with "${surplus}"`, `write "tidewire ${usage}"`);
  }
  return parsed.positionals;
}

function brokerOptions(parsed: ParsedOptions, logLevel: LogLevel): BrokerOptions {
  return { store: storeChoice(parsed), logLevel: choice(parsed, "log-level", LOG_LEVELS, logLevel) };
}

function storeChoice(parsed: ParsedOptions): StoreChoice {
  const directory = single(parsed, "store") ?? DEFAULT_DIRECTORY;
  const fsync = choice(parsed, "fsync", FSYNC_CHOICES, "always");
  if (directory !== "memory") {
    return { kind: "directory", directory, fsync };
  }
  if (parsed.values.has("fsync")) {
    throw new UsageError(
      "--fsync says how to write to disk, but --store memory writes nothing",
      "leave one of them out",
    );
  }
  return { kind: "memory" };
}

function accessOptions(parsed: ParsedOptions): AccessOptions | undefined {
  const usersFile = single(parsed, "users");
  const aclFile = single(parsed, "acl");
  const allowAnonymous = parsed.values.has("allow-anonymous");
  const clientIds = parsed.values.get("client-id") ?? [];
  const checkRetained = parsed.values.has("check-retained");
  if (usersFile !== undefined) {
    if (checkRetained && aclFile === undefined) {
      throw new UsageError("--check-retained is given without --acl: everybody may publish anything", "add --acl FILE");
    }
    return { usersFile, aclFile, allowAnonymous, clientIds, checkRetained };
  }
  if (clientIds.length > 0 || checkRetained) {
    const option = checkRetained ? "--check-retained" : "--client-id";
    throw new UsageError(`${option} is given without --users: anybody could take any name`, "add --users FILE");
  }
  if (aclFile !== undefined) {
    throw new UsageError("--acl is given without --users: anybody could take any name", "add --users FILE");
  }
  if (allowAnonymous) {
    throw new UsageError("--allow-anonymous is given without --users: everybody may connect anyway", "leave it out");
  }
  return undefined;
}

function tlsFiles(parsed: ParsedOptions): TlsFiles | undefined {
  const certFile = single(parsed, "tls-cert");
  const keyFile = single(parsed, "tls-key");
  const clientCaFile = single(parsed, "tls-client-ca");
  if (certFile === undefined && keyFile === undefined) {
    if (clientCaFile !== undefined) {
      throw new UsageError(
        "--tls-client-ca is given without the broker's own certificate",
        "add --tls-cert FILE and --tls-key FILE",
      );
    }
    return undefined;
  }
  if (certFile === undefined) {
    throw new UsageError("--tls-key is given without its certificate", "add --tls-cert FILE");
  }
  if (keyFile === undefined) {
    throw new UsageError("--tls-cert is given without its key", "add --tls-key FILE");
  }
  return { certFile, keyFile, ...(clientCaFile !== undefined && { clientCaFile }) };
}

function proxyOptions(parsed: ParsedOptions): Pick<ServeOptions, "trustedProxies" | "proxyProtocol"> {
  const trustedProxies = parsed.values.get("trusted-proxy") ?? [];
  for (const proxy of trustedProxies) {
    checkProxy(proxy);
  }
  const proxyProtocol = parsed.values.has("proxy-protocol");
  if (proxyProtocol && trustedProxies.length === 0) {
    throw new UsageError(
      "--proxy-protocol is given without --trusted-proxy: anybody could take any address",
      "add --trusted-proxy ADDRESS for each proxy",
    );
  }
  return { trustedProxies, proxyProtocol };
}

function checkProxy(text: string): void {
  try {
    new AddressList([text]);
  } catch (error) {
    throw new UsageError(
      `--trusted-proxy "${text}" is no address or block`,
      "write it like 10.0.0.7, 10.0.0.0/8 or fd00::/8",
      { cause: error },
    );
  }
  if (/\/0+$/.test(text)) {
    throw new UsageError(`--trusted-proxy ${text} believes everybody`, "name the proxies' own addresses");
  }
}

function origins(given: readonly string[]): "*" | readonly string[] {
  if (!given.includes("*")) {
    return given.map(origin);
  }
  if (given.length > 1) {
    throw new UsageError('--origin "*" lets every page in, and others are named beside it', "keep one or the other");
  }
  return "*";
}

/** A browser sends scheme, host and port, and nothing else: anything more could never match. */
function origin(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || url.origin === "null" || url.origin !== text.replace(/\/$/, "") || text.includes("*")) {
    throw new UsageError(
      `--origin "${text}" is not an origin`,
      'write scheme, host and port, like https://example.org:8443, or "*" for every page',
    );
  }
  return url.origin;
}

/** As it stands in a Host header, without its port. */
function hostName(text: string): string {
  if (!/^(?:\[[\da-f:.]+\]|[\w.~-]+)$/i.test(text)) {
    throw new UsageError(
      `--host "${text}" is not a host name`,
      "write the name alone, without scheme and port, like broker.example",
    );
  }
  return text.toLowerCase();
}

function refusePositionals(command: string, parsed: ParsedOptions): void {
  const [surplus] = parsed.positionals;
  if (surplus === undefined) {
    return;
  }
  throw new UsageError(`${command} does not know what to do with "${surplus}"`, `run "tidewire ${command} --help"`);
}
