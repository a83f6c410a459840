// docs/conformance.md: statement by statement, the cases that prove it and what they came to for Tidewire.
import { coverageProblems, UNOBSERVABLE } from "@tidewire/conformance";
import { brokerCases } from "@tidewire/conformance/broker";
import { clientCases } from "@tidewire/conformance/client";
import { codecCases } from "@tidewire/conformance/codec";
import { readStatements } from "@tidewire/conformance/node";
import { sessionCases } from "@tidewire/conformance/session";

const CASES = [...brokerCases, ...clientCases, ...codecCases, ...sessionCases];
const VERSIONS = ["3.1.1", "5.0"];

/** What is wrong between statements and cases; the page is not written then. */
export function problems() {
  return VERSIONS.flatMap((version) => coverageProblems(version, readStatements(version), CASES));
}

/** The page; `targets` as `tidewireResults` gives them. */
export function statementsPage(targets) {
  return `# Conformance, statement by statement

Written by \`node tooling/conformance-report/run.js\`: change the cases or run it again rather than this page.

Every normative statement of MQTT 3.1.1 (141) and MQTT 5.0 (251), the cases of \`@tidewire/conformance\` that prove it, and
what they came to for Tidewire. The summaries are paraphrases; the specifications decide. A statement has passed when none of
its cases failed and at least one ran. Cases named \`client/…\` run against the client, \`codec/…\` against the codec,
\`session-client/…\` and \`session-server/…\` against the session engine, all others against the broker.

${totals(targets)}

${VERSIONS.map((version) => versionPart(version, targets)).join("\n\n")}

## Rules of MQTT 5.0 without a number

Stated in the text, mostly as Protocol Errors: properties twice, on the wrong packet or out of range, and some more.

| Case | What it shows | Tidewire |
| --- | --- | --- |
${CASES.filter(({ statements }) => statements.length === 0)
  .map((testCase) => `| \`${testCase.id}\` | ${cell(testCase.title)} | ${outcome([testCase], targets)} |`)
  .join("\n")}
`;
}

function totals(targets) {
  const rows = [...targets].map(([name, results]) => {
    const count = (wanted) => [...results.values()].filter((status) => status === wanted).length;
    return `| ${name} | ${count("passed")} | ${count("failed")} | ${count("skipped")} |`;
  });
  return `| Target | Passed | Failed | Skipped |\n| --- | ---: | ---: | ---: |\n${rows.join("\n")}`;
}

function versionPart(version, targets) {
  const rows = readStatements(version).map(({ id, summary }) => {
    const cases = CASES.filter((testCase) => testCase.version === version && testCase.statements.includes(id));
    const reason = UNOBSERVABLE[version][id];
    const names = cases.map((testCase) => `\`${testCase.id.slice(version.length + 1)}\``).join(", ");
    return `| ${id} | ${cell(summary)} | ${names || reason} | ${reason === undefined ? outcome(cases, targets) : "not observable"} |`;
  });
  return `## MQTT ${version}\n\n| Statement | What it says | Cases | Tidewire |\n| --- | --- | --- | --- |\n${rows.join("\n")}`;
}

function outcome(cases, targets) {
  const statuses = cases.flatMap(({ id }) => [...targets.values()].flatMap((results) => results.get(id) ?? []));
  if (statuses.includes("failed")) {
    return "**failed**";
  }
  return statuses.includes("passed") ? "passed" : "not run";
}

function cell(text) {
  return text.replaceAll("|", "\\|").replaceAll("*", "\\*").replaceAll("<", "&lt;");
}
