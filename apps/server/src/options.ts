import { parseArgs } from "node:util";
import { UsageError } from "./errors.ts";
import { didYouMean } from "./nearest.ts";

/** How a command's options look: `string` takes a value; `multiple` may be given several times. */
export type OptionSpecs = Readonly<
  Record<string, { readonly type: "string" | "boolean"; readonly multiple?: boolean; readonly short?: string }>
>;

/** What was given, by option name: the values in order (`"true"` for a flag). */
export interface ParsedOptions {
  readonly values: ReadonlyMap<string, readonly string[]>;
  readonly positionals: readonly string[];
}

/**
 * Reads `args` by `specs`. Unknown options, missing and surplus values are `UsageError`s that name the option and
 * point at the help of `command`.
 */
export function parseOptions(command: string, args: readonly string[], specs: OptionSpecs): ParsedOptions {
  // Not strict: the tokens say exactly what was written, which makes for better messages than parseArgs' own.
  const { tokens } = parseArgs({
    args: [...args],
    options: specs,
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const help = `run "${command} --help" for the list`;
  const values = new Map<string, string[]>();
  const positionals: string[] = [];
  for (const token of tokens) {
    if (token.kind === "positional") {
      positionals.push(token.value);
    }
    if (token.kind !== "option") {
      continue;
    }
    const spec = Object.hasOwn(specs, token.name) ? specs[token.name] : undefined;
    if (spec === undefined) {
      const known = Object.keys(specs).map((name) => `--${name}`);
      throw new UsageError(`unknown option ${token.rawName}${didYouMean(token.rawName, known)}`, help);
    }
    if (spec.type === "boolean" && token.value !== undefined) {
      throw new UsageError(`${token.rawName} takes no value`, `write ${token.rawName} alone`);
    }
    if (spec.type === "string" && (token.value === undefined || token.value === "")) {
      throw new UsageError(`${token.rawName} needs a value`, help);
    }
    const given = values.get(token.name) ?? [];
    if (given.length > 0 && spec.multiple !== true) {
      throw new UsageError(`${token.rawName} is given twice`, "keep one of them");
    }
    given.push(token.value ?? "true");
    values.set(token.name, given);
  }
  return { values, positionals };
}

/** The single value of an option, or `undefined`. */
export function single(options: ParsedOptions, name: string): string | undefined {
  return options.values.get(name)?.[0];
}

/** One of `choices`, or `fallback` when the option is absent. */
export function choice<T extends string>(options: ParsedOptions, name: string, choices: readonly T[], fallback: T): T {
  const value = single(options, name);
  if (value === undefined) {
    return fallback;
  }
  const match = choices.find((candidate) => candidate === value);
  if (match === undefined) {
    throw new UsageError(`--${name} "${value}" is not known`, `use ${choices.join(", ")}`);
  }
  return match;
}

/** A port number, 0 meaning any free one. */
export function port(options: ParsedOptions, name: string, fallback: number): number {
  return wholeNumber(options, name, 0, 65_535, "is not a port", " (0 picks a free one)") ?? fallback;
}

/** A number within bounds; undefined when the option is absent. */
export function wholeNumber(
  options: ParsedOptions,
  name: string,
  minimum: number,
  maximum: number,
  problem = "is not such a number",
  hint = "",
): number | undefined {
  const value = single(options, name);
  if (value === undefined) {
    return undefined;
  }
  const number = /^\d{1,15}$/.test(value) ? Number(value) : Number.NaN;
  if (!(number >= minimum && number <= maximum)) {
    throw new UsageError(`--${name} "${value}" ${problem}`, `give a number from ${minimum} to ${maximum}${hint}`);
  }
  return number;
}
