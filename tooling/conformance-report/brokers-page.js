// docs/conformance-brokers.md: the same cases against other brokers.
import { explain } from "./explanations.js";

/** The page; throws when a peer's failure has no explanation. */
export function brokersPage(compared) {
  const peers = compared.filter(({ name }) => name !== "Tidewire");
  const unexplained = peers.flatMap(({ name, report }) =>
    failures(report)
      .filter(({ id }) => explain(name, id) === undefined)
      .map(({ id, message }) => `${name}, ${id}: ${message}`),
  );
  if (unexplained.length > 0) {
    throw new Error(`failures that nobody has explained:\n${unexplained.join("\n")}`);
  }
  return `# Conformance of other brokers

Written by \`node tooling/conformance-report/run.js --brokers\`: change the cases or run it again rather than this page.

The cases of \`@tidewire/conformance\` against brokers with their default configuration, over TCP on loopback. Every failure was
read against the statement's text before it got its line here; none of them is meant as a verdict on a whole product. A case is
skipped where the broker says that it does not offer the feature, does not speak the version, or needs to be set up for it.

| Broker | Version | 3.1.1 passed | 3.1.1 failed | 5.0 passed | 5.0 failed | Skipped | Passed of those run |
| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |
${compared.map(summaryRow).join("\n")}

${peers.map(peerPart).join("\n\n")}
`;
}

function summaryRow({ name, version, report }) {
  const count = (wanted, outcome) =>
    report.results.filter((result) => result.version === wanted && result.outcome === outcome).length;
  const cells = ["3.1.1", "5.0"].flatMap((wanted) => {
    const [passed, failed] = [count(wanted, "passed"), count(wanted, "failed")];
    return passed + failed === 0 ? ["–", "–"] : [passed, failed];
  });
  const { passed, failed, skipped } = report.summary;
  const share = `${((100 * passed) / (passed + failed)).toFixed(1)} %`;
  return `| ${name} | ${version} | ${cells.join(" | ")} | ${skipped} | ${share} |`;
}

function peerPart({ name, version, report }) {
  const groups = new Map();
  for (const result of failures(report)) {
    const why = explain(name, result.id);
    groups.set(why, [...(groups.get(why) ?? []), result]);
  }
  const rows = [...groups].map(([why, results]) => {
    const cases = results.map(({ id }) => `\`${id}\``).join(", ");
    const statements = [...new Set(results.flatMap((result) => result.statements))].join(", ");
    return `| ${why.replaceAll("|", "\\|")} | ${cases} | ${statements || "no number"} |`;
  });
  return `## ${name} (${version})\n\n| What it does | Cases | Statements |\n| --- | --- | --- |\n${rows.join("\n")}`;
}

function failures(report) {
  return report.results.filter(({ outcome }) => outcome === "failed");
}
