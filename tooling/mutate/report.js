// What became of each mutant, from what the workers noted.

/** Prints the survivors and the score, and returns both. */
export function report({ name, mutants, chosen, entries, seed }) {
  const fates = fatesOf(chosen, entries);
  const named = (fate) => chosen.filter((id) => fates.get(id) === fate).map((id) => ({ id, ...mutants[id] }));
  for (const [fate, title] of [
    ["survived", "Survived: tests came by and noticed nothing"],
    ["not reached", "Not reached by any test"],
    ["slow tests only", "Reached by slow tests alone, which do not take part"],
  ]) {
    print(title, named(fate));
  }
  const count = (fate) => [...fates.values()].filter((one) => one === fate).length;
  const killed = count("killed");
  const unfinished = count("unfinished");
  const judged = killed + count("survived") + count("not reached");
  // Who is killed is known early, who survives at the end: without the unfinished the score would flatter.
  const score = (100 * killed) / Math.max(1, judged + unfinished);
  for (const { kind, test, why } of entries.filter(
    (entry) => entry.kind === "broken" || entry.kind === "not repeatable",
  )) {
    console.log(`Test left out, ${kind}: ${test} ${why ?? ""}`);
  }
  console.log(
    `${name}: ${killed} of ${judged + unfinished} killed (${unfinished > 0 ? "at least " : ""}${score.toFixed(1)} %), ` +
      `${count("survived")} survived, ${count("not reached")} not reached; left out: ${count("at import")} that run ` +
      `once at import, ${count("slow tests only")} for slow tests, ${unfinished} unfinished (seed ${seed})`,
  );
  return { name, seed, killed, judged, survivors: [...named("survived"), ...named("not reached")] };
}

function fatesOf(chosen, entries) {
  const idsOf = (kind, ids = (entry) => entry.ids ?? [entry.id]) =>
    new Set(entries.filter((entry) => entry.kind === kind).flatMap(ids));
  const killed = idsOf("killed");
  const reached = idsOf("reached");
  const judgements = new Set(
    entries.filter(({ kind }) => kind === "survived here").map(({ id, file }) => `${id} ${file}`),
  );
  // A file that has not been gone through may still kill.
  const open = entries
    .filter(({ kind }) => kind === "reached")
    .flatMap(({ ids, file }) => ids.filter((id) => !judgements.has(`${id} ${file}`)));
  const unjudged = new Set(open);
  const atImport = idsOf("at import");
  const slow = idsOf("slow", (entry) => entry.covered);
  const complete = !entries.some(({ kind }) => kind === "out of time");
  const fate = (id) => {
    if (killed.has(id)) {
      return "killed";
    }
    if (reached.has(id)) {
      return complete && !unjudged.has(id) ? "survived" : "unfinished";
    }
    if (slow.has(id)) {
      return "slow tests only";
    }
    if (atImport.has(id)) {
      return "at import";
    }
    return complete ? "not reached" : "unfinished";
  };
  return new Map(chosen.map((id) => [id, fate(id)]));
}

function print(title, mutants) {
  if (mutants.length === 0) {
    return;
  }
  console.log(`\n${title}:`);
  for (const { file, line, kind, before, after } of mutants) {
    console.log(`  ${file}:${line}  ${kind}: ${before}  ->  ${after}`);
  }
  console.log("");
}
