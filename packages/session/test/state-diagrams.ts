import { PacketType } from "@tidewire/codec";
import type { TransitionTable } from "@tidewire/session";

type Table = TransitionTable<string, string>;

/** A page with one Mermaid diagram and one table for each end. */
export function statePage(ends: readonly { readonly title: string; readonly table: Table }[]): string {
  const parts = ends.flatMap(({ title, table }) => [
    `## ${title}`,
    `\`\`\`mermaid\n${diagram(table)}\n\`\`\``,
    grid(table),
  ]);
  return `${[HEAD, ...parts].join("\n\n")}\n`;
}

const HEAD = `# Session states

Drawn from the tables in \`client-states.ts\` and \`server-states.ts\` of \`packages/session/src\`; \`pnpm exec vitest run
packages/session -u\` draws them again, and a test fails when this page is not what the tables say. Packets are in capitals.
\`end\` is every end, whoever brings it about: a request, a refusal, a violation, a timeout, a lost connection, a handler that
threw. A packet that a state has no transition for breaks the protocol; a request that it has none for is refused.`;

function diagram(table: Table): string {
  const states = Object.keys(table);
  const lines = states.flatMap((from) => {
    const byTarget = new Map<string, string[]>();
    for (const [input, to] of transitions(table, from)) {
      byTarget.set(to, [...(byTarget.get(to) ?? []), input]);
    }
    return [...byTarget].map(([to, inputs]) => `  ${name(from)} --> ${name(to)}: ${inputs.join(", ")}`);
  });
  const labels = states.map((state) => `  state "${state}" as ${name(state)}`);
  return ["stateDiagram-v2", ...labels, `  [*] --> ${name(states[0] as string)}`, ...lines, "  closed --> [*]"].join(
    "\n",
  );
}

function grid(table: Table): string {
  const states = Object.keys(table).filter((state) => state !== "closed");
  const columns = states.map((state) => new Map(transitions(table, state)));
  const inputs = [...new Set(columns.flatMap((column) => [...column.keys()]))];
  const rows = inputs.map((input) => [input, ...columns.map((column) => column.get(input) ?? "")]);
  return [["input", ...states], ["", ...states].map(() => "---"), ...rows]
    .map((cells) => `| ${cells.join(" | ")} |`)
    .join("\n");
}

/** Inputs by name, and where they lead. */
function transitions(table: Table, state: string): [string, string][] {
  const row = Object.entries(table[state] ?? {}) as [string, string][];
  return row.map(([input, to]) => [packetNames.get(Number(input)) ?? input, to]);
}

const packetNames = new Map<number, string>(Object.entries(PacketType).map(([name, type]) => [type, name]));

/** Mermaid takes no hyphen in an identifier. */
function name(state: string): string {
  return state.replaceAll("-", "_");
}
