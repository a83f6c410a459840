// What each source file of a package imports. Parsed, not matched: an import in a comment or a string is none.
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, posix } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";

export const root = join(dirname(fileURLToPath(import.meta.url)), "../..");

/**
 * @typedef {object} Import
 * @property {string} file Importing file, relative to the package's `src`.
 * @property {number} line
 * @property {string} specifier As written.
 * @property {string | undefined} target The file of the same package that it names, relative to `src`.
 * @property {boolean} typeOnly
 */

/** Names of the folders in `packages`. */
export function packageNames() {
  return readdirSync(join(root, "packages"), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
    .sort();
}

/** Source files of a package, relative to its `src`, without tests. */
export function sourceFiles(name) {
  return readdirSync(join(root, "packages", name, "src"), { recursive: true })
    .map((file) => file.replaceAll("\\", "/"))
    .filter((file) => /\.ts$/.test(file) && !/\.test\.ts$/.test(file))
    .sort();
}

/** @returns {Import[]} */
export function importsOf(name) {
  const aliases = aliasesOf(name);
  return sourceFiles(name)
    .flatMap((file) => importsIn(readFileSync(join(root, "packages", name, "src", file), "utf8"), file))
    .map((found) => ({ ...found, target: aliases.get(found.specifier) ?? found.target }));
}

/** `imports` of package.json: each name with a file that it stands for, one of several. */
function aliasesOf(name) {
  const { imports = {} } = JSON.parse(readFileSync(join(root, "packages", name, "package.json"), "utf8"));
  const files = Object.entries(imports).map(([alias, choice]) => [
    alias,
    JSON.stringify(choice).match(/"\.\/src\/([^"]+)"/)?.[1],
  ]);
  return new Map(files.filter(([, file]) => file !== undefined));
}

/** @returns {Import[]} */
export function importsIn(text, file) {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, false);
  const found = [];
  const add = (node, { text: specifier }, typeOnly) => {
    const line = source.getLineAndCharacterOfPosition(node.getStart(source)).line + 1;
    const target = specifier.startsWith(".") ? posix.join(posix.dirname(file), specifier) : undefined;
    found.push({ file, line, specifier, target, typeOnly });
  };
  const visit = (node) => {
    if (ts.isImportDeclaration(node)) {
      add(node, node.moduleSpecifier, bindsTypesOnly(node.importClause));
    } else if (ts.isExportDeclaration(node) && node.moduleSpecifier !== undefined) {
      add(node, node.moduleSpecifier, node.isTypeOnly || allTypes(node.exportClause));
    } else if (ts.isImportTypeNode(node)) {
      add(node, node.argument.literal, true);
    } else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      if (node.arguments[0] !== undefined && ts.isStringLiteralLike(node.arguments[0])) {
        add(node, node.arguments[0], false);
      }
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

function bindsTypesOnly(clause) {
  return clause !== undefined && (clause.isTypeOnly || (clause.name === undefined && allTypes(clause.namedBindings)));
}

/** `{ type A, type B }`, which names nothing that exists at run time. */
function allTypes(bindings) {
  return bindings?.elements?.every(({ isTypeOnly }) => isTypeOnly) === true;
}
