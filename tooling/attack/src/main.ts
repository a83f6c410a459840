import { writeFileSync } from "node:fs";
import { HELP, type Options, parseArguments } from "./arguments.ts";
import { ATTACKS, select } from "./catalogue.ts";
import { fuzz } from "./fuzz/fuzz.ts";
import { plan } from "./plan.ts";
import { run } from "./runner.ts";
import { HEADER, resultLines } from "./table.ts";

process.exitCode = await main(process.argv.slice(2));

async function main(args: readonly string[]): Promise<number> {
  const options = parseArguments(args);
  if (typeof options === "string") {
    console.error(options);
    return 2;
  }
  if (options.help) {
    console.log(HELP);
    return 0;
  }
  if (options.fuzz !== undefined) {
    return fuzzFor(options.fuzz, options);
  }
  const attacks = select(ATTACKS, options);
  if (options.list) {
    for (const { id, title, expected } of attacks) {
      console.log(`${id.padEnd(6)} ${title}: ${expected}`);
    }
    return 0;
  }
  if (attacks.length === 0) {
    console.error("no attack has one of these numbers; --list names them all");
    return 2;
  }
  const { seed, script, coverage, transport } = options;
  console.log(`seed ${seed}\n${HEADER}\n`);
  const onResult = (result: Parameters<typeof resultLines>[0]) => console.log(resultLines(result));
  const results = await run(plan(attacks, coverage, seed, transport), { seed, script, onResult });
  if (options.json !== undefined) {
    writeFileSync(options.json, `${JSON.stringify({ seed, results }, undefined, 1)}\n`);
  }
  const count = (verdict: string) => results.filter((result) => result.verdict === verdict).length;
  console.log(`\n${count("held")} held, ${count("unlogged")} held but were not logged, ${count("failed")} failed`);
  const bad = [...new Set(results.filter(({ verdict }) => verdict !== "held").map(({ id }) => id))];
  if (bad.length > 0) {
    console.log(`again: npx pnpm attack --seed ${seed} --only ${bad.join(",")}`);
  }
  return bad.length === 0 ? 0 : 1;
}

async function fuzzFor(minutes: number, { seed, script }: Pick<Options, "seed" | "script">): Promise<number> {
  console.log(`seed ${seed}`);
  const isSound = await fuzz(minutes, seed, script, ({ seed: own, environment, lives, bytes, verdict, reasons }) => {
    console.log(`${verdict.padEnd(8)} seed ${own} (${environment}): ${lives} connections, ${bytes} bytes`);
    for (const reason of reasons) {
      console.log(`           ! ${reason}`);
    }
    if (verdict !== "held") {
      console.log(`again: npx pnpm attack --fuzz 0.3 --seed ${own}`);
    }
  });
  return isSound ? 0 : 1;
}
