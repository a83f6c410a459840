import { writeFileSync } from "node:fs";
import type { BrokerHarness } from "../broker/index.ts";
import { type BrokerCase, brokerCases } from "../broker/index.ts";
import type { CaseResult } from "../case.ts";
import type { RawDial } from "../connection.ts";
import { executeCases } from "../execute.ts";
import { dialUrl, withProfiles } from "../node/index.ts";
import { type CliOptions, parseCliArgs, USAGE, UsageError } from "./args.ts";
import { probe } from "./probe.ts";
import { failuresText, makeReport, reportHtml, summaryLine } from "./report.ts";

/** What a broker is taken to offer unless its CONNACK or the command line says otherwise. */
const USUAL_CAPABILITIES: readonly string[] = [
  "anonymous",
  "empty-client-id",
  "retain",
  "shared",
  "subscription-identifiers",
  "topic-alias",
  "dollar-topics",
];

/** The program; resolves with the exit status. */
export async function main(args: readonly string[]): Promise<number> {
  try {
    const options = parseCliArgs(args);
    if (options === undefined) {
      process.stdout.write(USAGE);
      return 0;
    }
    return await run(options);
  } catch (error) {
    if (!(error instanceof UsageError)) {
      throw error;
    }
    process.stderr.write(`${error.message}\nTry --help.\n`);
    return 2;
  }
}

async function run(options: CliOptions): Promise<number> {
  const chosen = chooseCases(options);
  if (options.list) {
    for (const { id, title } of chosen) {
      process.stdout.write(`${id}: ${title}\n`);
    }
    return 0;
  }
  const dial = makeDial(options);
  const prefix = `c${Math.floor(Math.random() * 36 ** 5).toString(36)}`;
  let probed: Awaited<ReturnType<typeof probe>>;
  try {
    probed = await probe(dial, prefix, options.credentials);
  } catch (error) {
    process.stderr.write(
      `Cannot reach ${new URL(options.url).host}: ${error instanceof Error ? error.message : error}\n`,
    );
    return 2;
  }
  if (probed.versions.length === 0) {
    process.stderr.write("The server accepts a CONNECT in no version that was asked for.\n");
    return 2;
  }
  const spoken = chosen.filter(({ version }) => probed.versions.includes(version));
  const silent = chosen.filter(({ version }) => !probed.versions.includes(version));

  const started = performance.now();
  const progress = new Progress(spoken.length, options.quiet);
  const results = await executeCases<BrokerHarness>(
    spoken,
    {
      name: options.url,
      capabilities: capabilities(options, probed.lacks),
      setup: () => ({
        dial,
        prefix,
        ...(options.credentials === undefined ? {} : { credentials: options.credentials }),
        ...(options.timeoutMs === undefined ? {} : { answerTimeoutMs: options.timeoutMs }),
      }),
    },
    {
      expectedFailures: options.expectedFailures,
      concurrency: options.concurrency,
      onResult: (result) => progress.add(result),
    },
  );
  progress.end();
  const report = makeReport(options.url, performance.now() - started, [...results, ...silent.map(notSpoken)]);
  const failures = failuresText(report);
  if (failures !== "") {
    process.stdout.write(`${failures}\n\n`);
  }
  if (options.report !== undefined) {
    writeFileSync(options.report, `${JSON.stringify(report, null, 2)}\n`);
  }
  if (options.html !== undefined) {
    writeFileSync(options.html, reportHtml(report));
  }
  process.stdout.write(`${summaryLine(report)}\n`);
  return report.summary.failed + report.summary["unexpected-pass"] > 0 ? 1 : 0;
}

function chooseCases(options: CliOptions): readonly BrokerCase[] {
  const { versions, only, statements, expectedFailures } = options;
  const chosen = brokerCases.filter(
    (testCase) =>
      versions.includes(testCase.version) &&
      (only.length === 0 || only.some((text) => testCase.id.includes(text))) &&
      (statements.length === 0 || testCase.statements.some((id) => statements.includes(id))),
  );
  const unknown = Object.keys(expectedFailures).filter((id) => !brokerCases.some((testCase) => testCase.id === id));
  if (unknown.length > 0) {
    throw new UsageError(`--expect names no case: ${unknown.join(", ")}`);
  }
  if (chosen.length === 0) {
    throw new UsageError("no case matches --version, --only and --statement");
  }
  return chosen;
}

function makeDial({ url, tls, profiles }: CliOptions): RawDial {
  try {
    return withProfiles(
      dialUrl(url, tls),
      new Map(profiles.map(([name, profileUrl]) => [name, dialUrl(profileUrl, tls)])),
    );
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

function capabilities(options: CliOptions, lacks: readonly string[]): readonly string[] {
  const offered = [
    ...USUAL_CAPABILITIES.filter((name) => name !== "anonymous" || options.credentials === undefined),
    ...(options.url.startsWith("ws") ? ["websocket"] : []),
    ...options.profiles.map(([name]) => `profile:${name}`),
  ];
  return offered.filter((name) => !lacks.includes(name) && !options.without.includes(name));
}

function notSpoken({ id, title, statements, version }: BrokerCase): CaseResult {
  return {
    id,
    title,
    statements,
    version,
    outcome: "skipped",
    durationMs: 0,
    reason: `the server does not speak ${version}`,
  };
}

/** One line on a terminal that is rewritten; nothing elsewhere. */
class Progress {
  readonly #total: number;
  readonly #shown: boolean;
  #done = 0;
  #failed = 0;

  constructor(total: number, quiet: boolean) {
    this.#total = total;
    this.#shown = !quiet && process.stderr.isTTY === true;
  }

  add({ outcome, id }: CaseResult): void {
    this.#done += 1;
    if (outcome === "failed" || outcome === "unexpected-pass") {
      this.#failed += 1;
    }
    if (!this.#shown) {
      return;
    }
    const text = `${this.#done}/${this.#total}, ${this.#failed} failed  ${id}`;
    process.stderr.write(`\r\x1b[K${text.slice(0, (process.stderr.columns ?? 80) - 1)}`);
  }

  end(): void {
    if (this.#shown) {
      process.stderr.write("\r\x1b[K");
    }
  }
}
