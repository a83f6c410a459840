// Errors that a package makes (docs/adr/0017): of its own class, with a stable code and a message that is a sentence.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";
import { root, sourceFiles } from "./imports.js";

const PLAIN = new Set(["Error", "TypeError", "RangeError", "SyntaxError"]);

/** Faults in the errors of one package. */
export function brokenErrors(name) {
  return sourceFiles(name).flatMap((file) =>
    errorFaults(readFileSync(join(root, "packages", name, "src", file), "utf8")).map(
      ({ line, fault }) => `packages/${name}/src/${file}:${line}: ${fault}`,
    ),
  );
}

/** @returns {{ line: number, fault: string }[]} */
export function errorFaults(text) {
  const source = ts.createSourceFile("a.ts", text, ts.ScriptTarget.Latest, true);
  const found = [];
  const add = (node, fault) =>
    found.push({ line: source.getLineAndCharacterOfPosition(node.getStart(source)).line + 1, fault });
  const visit = (node) => {
    if (ts.isClassDeclaration(node) && node.name !== undefined) {
      for (const fault of classFaults(node)) {
        add(node, fault);
      }
    } else if (ts.isNewExpression(node) && ts.isIdentifier(node.expression)) {
      for (const fault of newFaults(node)) {
        add(node, fault);
      }
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

/** A class right below Error is a package's base: name and code are its own, and a cause can be handed in. */
function classFaults(node) {
  const base = node.heritageClauses?.find(({ token }) => token === ts.SyntaxKind.ExtendsKeyword)?.types[0].expression;
  if (base === undefined || !ts.isIdentifier(base) || !PLAIN.has(base.text)) {
    return [];
  }
  const isAbstract = node.modifiers?.some(({ kind }) => kind === ts.SyntaxKind.AbstractKeyword) === true;
  const members = new Set(node.members.flatMap((member) => (member.name === undefined ? [] : [member.name.getText()])));
  const constructed = node.members.find(ts.isConstructorDeclaration);
  const faults = [];
  if (!members.has("name") && !isAbstract) {
    faults.push(`${node.name.text} has no name of its own.`);
  }
  if (!members.has("code")) {
    faults.push(`${node.name.text} has no code.`);
  }
  if (constructed !== undefined && !/cause|options/i.test(constructed.getText())) {
    faults.push(`${node.name.text} takes no cause.`);
  }
  return faults;
}

function newFaults(node) {
  const { text: name } = node.expression;
  if (PLAIN.has(name)) {
    // Something other than an Error was thrown at us: that has no better name.
    return /[{ ]cause\b/.test(node.arguments?.[1]?.getText() ?? "") ? [] : [`a plain ${name}, without a code.`];
  }
  if (!name.endsWith("Error")) {
    return [];
  }
  const message = node.arguments?.find((argument, index) => index > 0 && isMessage(argument));
  if (message === undefined) {
    return [];
  }
  const said = message.getText().slice(1, -1);
  const begins = /^(?:[A-Z]|\$\{|`|\\`|"|[a-z]+[(.A-Z])/.test(said);
  return begins && /[.?!]$|\}$/.test(said) ? [] : [`"${said}" is no sentence.`];
}

/** Codes are words with hyphens; messages have spaces. */
function isMessage(node) {
  return (ts.isStringLiteral(node) || ts.isTemplateLiteral(node)) && node.getText().includes(" ");
}
