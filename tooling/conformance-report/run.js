// Writes docs/conformance.md, and with --brokers docs/conformance-brokers.md too (needs mosquitto and nats-server).
import { writeFileSync } from "node:fs";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { brokersPage } from "./brokers-page.js";
import { compare } from "./compare.js";
import { problems, statementsPage } from "./statements-page.js";
import { tidewireResults } from "./tidewire-results.js";

const docs = fileURLToPath(new URL("../../docs/", import.meta.url));

const wrong = problems();
if (wrong.length > 0) {
  console.error(wrong.join("\n"));
  process.exit(1);
}
const results = tidewireResults();
writeFileSync(`${docs}conformance.md`, statementsPage(results));
console.log(`docs/conformance.md: ${[...results.keys()].join(", ")}`);
if (process.argv.includes("--brokers")) {
  writeFileSync(`${docs}conformance-brokers.md`, brokersPage(await compare()));
  console.log("docs/conformance-brokers.md");
}
