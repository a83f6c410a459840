import type { CaseResult, MqttVersion, Outcome } from "../case.ts";
import { isBad } from "../case.ts";
import { ConformanceFailure } from "../failure.ts";
import { readStatements } from "../node/index.ts";

/** A run as written by `--report`. */
export interface Report {
  readonly target: string;
  readonly date: string;
  readonly durationMs: number;
  readonly summary: Readonly<Record<Outcome, number>>;
  readonly results: readonly ReportedCase[];
}

export interface ReportedCase {
  readonly id: string;
  readonly title: string;
  readonly version: MqttVersion | undefined;
  readonly statements: readonly string[];
  readonly outcome: Outcome;
  readonly durationMs: number;
  readonly reason?: string;
  /** What was expected. */
  readonly message?: string;
  readonly transcript?: string;
}

export function makeReport(target: string, durationMs: number, results: readonly CaseResult[]): Report {
  const summary = { passed: 0, failed: 0, skipped: 0, "expected-failure": 0, "unexpected-pass": 0 };
  for (const { outcome } of results) {
    summary[outcome] += 1;
  }
  return {
    target: withoutCredentials(target),
    date: new Date().toISOString(),
    durationMs: Math.round(durationMs),
    summary,
    results: results.map(({ error, ...result }) => ({
      ...result,
      ...(error === undefined ? {} : { message: error.message }),
      ...(error instanceof ConformanceFailure && error.transcript !== "" ? { transcript: error.transcript } : {}),
    })),
  };
}

/** The failures with everything that helps to find the fault. */
export function failuresText(report: Report): string {
  const summaries = statementSummaries();
  return report.results
    .filter(({ outcome }) => isBad(outcome))
    .map((result) =>
      [
        `FAIL ${result.id}: ${result.title}`,
        ...result.statements.map((id) => `  [${id}] ${summaries.get(`${result.version} ${id}`) ?? ""}`),
        `  ${result.message ?? ""}`,
        ...(result.transcript ?? "").split("\n").map((line) => `    ${line}`),
      ].join("\n"),
    )
    .join("\n\n");
}

/** The last line of a run: expected failures count as passed, unexpected passes as failed. */
export function summaryLine({ summary }: Report): string {
  const passed = summary.passed + summary["expected-failure"];
  const failed = summary.failed + summary["unexpected-pass"];
  return `${passed} passed, ${failed} failed, ${summary.skipped} skipped`;
}

/** The run as a page of its own. */
export function reportHtml(report: Report): string {
  const summaries = statementSummaries();
  const rows = report.results.map((result) => {
    const statements = result.statements
      .map(
        (id) => `<abbr title="${escapeHtml(summaries.get(`${result.version} ${id}`) ?? "")}">${escapeHtml(id)}</abbr>`,
      )
      .join(" ");
    const details = [result.reason, result.message, result.transcript]
      .filter((text) => text !== undefined)
      .map((text) => `<pre>${escapeHtml(text ?? "")}</pre>`)
      .join("");
    const body =
      details === ""
        ? ""
        : `<details${isBad(result.outcome) ? " open" : ""}><summary>details</summary>${details}</details>`;
    return `<tr class="${result.outcome}"><td>${result.outcome}</td><td><code>${escapeHtml(result.id)}</code></td><td>${escapeHtml(result.title)}${body}</td><td>${statements}</td></tr>`;
  });
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>MQTT conformance: ${escapeHtml(report.target)}</title>
<style>
  body { font: 16px/1.5 system-ui, sans-serif; margin: 2rem; color-scheme: light dark }
  table { border-collapse: collapse; width: 100% }
  td, th { text-align: left; vertical-align: top; padding: .3rem .6rem; border-top: 1px solid #8884 }
  pre { overflow-x: auto; font-size: 13px; margin: .3rem 0 }
  .failed td:first-child, .unexpected-pass td:first-child { color: #c22; font-weight: bold }
  .passed td:first-child { color: #282 }
</style>
<h1>MQTT conformance: ${escapeHtml(report.target)}</h1>
<p>${escapeHtml(report.date)}, ${(report.durationMs / 1_000).toFixed(1)} s: ${summaryLine(report)}</p>
<table>
<thead><tr><th>Outcome</th><th>Case</th><th>What</th><th>Statements</th></tr></thead>
<tbody>
${rows.join("\n")}
</tbody>
</table>
</html>
`;
}

function statementSummaries(): ReadonlyMap<string, string> {
  const versions: readonly MqttVersion[] = ["3.1.1", "5.0"];
  return new Map(
    versions.flatMap((version) =>
      readStatements(version).map(({ id, summary }) => [`${version} ${id}`, summary] as const),
    ),
  );
}

function escapeHtml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}

/** A URL as it may appear in a file: credentials stay out of it. */
function withoutCredentials(url: string): string {
  const parsed = new URL(url);
  parsed.username = "";
  parsed.password = "";
  return parsed.href;
}
