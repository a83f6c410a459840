// Finds what can be changed in a source file, and writes the file with every change in it, each behind a switch of its
// own: one transformation and one import serve all mutants.
import ts from "typescript";

/**
 * @typedef {object} Mutant
 * @property {string} kind
 * @property {number} line
 * @property {string} before
 * @property {string} after
 */

/** @returns {{ code: string, mutants: Mutant[] }} `code` calls `__mutant(first + index)`, which tells whether that one is on. */
export function instrument(text, file, first) {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
  const mutants = [];

  /** The text of a node with every change in it and below it. */
  const write = (node) => {
    if (isOutside(node)) {
      return raw(node);
    }
    const changes = changesOf(node, source).map(([kind, after]) => [register(node, kind, after), after]);
    const statement = ts.isStatement(node);
    const inside = rewriteChildren(node);
    if (changes.length === 0) {
      return inside;
    }
    if (statement) {
      return ts.isReturnStatement(node)
        ? `if (__mutant(${changes[0][0]})) { return; } ${inside}`
        : `if (!__mutant(${changes[0][0]})) { ${inside} }`;
    }
    return `(${changes.map(([id, after]) => `__mutant(${id}) ? ${after} : `).join("")}${parenthesized(node, inside)})`;
  };

  const rewriteChildren = (node) => {
    let out = "";
    let at = node.getStart(source);
    ts.forEachChild(node, (child) => {
      const start = child.getStart(source);
      if (start < at) {
        return;
      }
      out += text.slice(at, start) + write(child);
      at = child.getEnd();
    });
    return out + text.slice(at, node.getEnd());
  };

  const register = (node, kind, after) => {
    const line = source.getLineAndCharacterOfPosition(node.getStart(source)).line + 1;
    mutants.push({ kind, line, before: short(raw(node)), after: short(after) });
    return first + mutants.length - 1;
  };

  const raw = (node) => node.getText(source);

  const body = text.slice(0, source.getStart()) + rewriteChildren(source) + text.slice(source.getEnd());
  return { code: `const __mutant = globalThis.__mutants?.at ?? (() => false); ${body}`, mutants };
}

const OPERATORS = new Map([
  ["===", ["!=="]],
  ["!==", ["==="]],
  ["<", ["<=", ">="]],
  ["<=", ["<", ">"]],
  [">", [">=", "<="]],
  [">=", [">", "<"]],
  ["+", ["-"]],
  ["-", ["+"]],
  ["*", ["/"]],
  ["/", ["*"]],
  ["%", ["*"]],
  ["<<", [">>"]],
  [">>", ["<<"]],
  [">>>", ["<<"]],
  ["&", ["|"]],
  ["|", ["&"]],
  ["&&", ["||"]],
  ["||", ["&&"]],
  ["??", ["&&"]],
  ["+=", ["-="]],
  ["-=", ["+="]],
]);

/** What a node may be changed to: pairs of kind and text. */
function changesOf(node, source) {
  if (ts.isBinaryExpression(node)) {
    return operatorChanges(node, source);
  }
  if (isCondition(node)) {
    return [
      ["condition", "true"],
      ["condition", "false"],
    ];
  }
  if (ts.isPrefixUnaryExpression(node) && node.operator === ts.SyntaxKind.ExclamationToken) {
    return [["negation", `(${node.operand.getText(source)})`]];
  }
  if (ts.isNumericLiteral(node)) {
    return ts.isPropertyName(node.parent) || node.parent.name === node
      ? []
      : [["constant", `(${node.getText(source)} + 1)`]];
  }
  if (node.kind === ts.SyntaxKind.TrueKeyword) {
    return [["constant", "false"]];
  }
  if (node.kind === ts.SyntaxKind.FalseKeyword) {
    return [["constant", "true"]];
  }
  if (ts.isReturnStatement(node) && node.expression !== undefined && isInBlock(node) && isTelling(node.expression)) {
    return [["return", "return;"]];
  }
  if (ts.isExpressionStatement(node) && isInBlock(node) && !isSuperCall(node)) {
    return [["statement", ";"]];
  }
  return [];
}

function operatorChanges(node, source) {
  const { left, operatorToken, right } = node;
  const parts = [left.getText(source), right.getText(source)];
  const operator = operatorToken.getText(source);
  if (operator === "+" && parts.some((part) => /^["'`]/.test(part))) {
    return [];
  }
  const changes = (OPERATORS.get(operator) ?? []).map((other) => [
    "operator",
    `((${parts[0]}) ${other} (${parts[1]}))`,
  ]);
  return isCondition(node) ? [...changes, ["condition", "true"], ["condition", "false"]] : changes;
}

/** The condition of a branch or a loop. */
function isCondition(node) {
  const { parent } = node;
  return (
    ((ts.isIfStatement(parent) || ts.isWhileStatement(parent)) && parent.expression === node) ||
    ((ts.isForStatement(parent) || ts.isConditionalExpression(parent)) && parent.condition === node)
  );
}

/** A return of undefined says what no return says, and a false one nearly so; it is made true besides. */
function isTelling(expression) {
  return (
    !(ts.isIdentifier(expression) && expression.text === "undefined") && expression.kind !== ts.SyntaxKind.FalseKeyword
  );
}

function isInBlock({ parent }) {
  return ts.isBlock(parent) || ts.isCaseOrDefaultClause(parent) || ts.isSourceFile(parent);
}

function isSuperCall({ expression }) {
  return ts.isCallExpression(expression) && expression.expression.kind === ts.SyntaxKind.SuperKeyword;
}

/** Types, names of modules and what runs once at import are no behaviour that a test could switch. */
function isOutside(node) {
  return (
    ts.isTypeNode(node) ||
    ts.isTypeParameterDeclaration(node) ||
    ts.isInterfaceDeclaration(node) ||
    ts.isTypeAliasDeclaration(node) ||
    ts.isImportDeclaration(node) ||
    ts.isExportDeclaration(node)
  );
}

function parenthesized(node, code) {
  return ts.isBinaryExpression(node) ? `(${code})` : code;
}

function short(code) {
  const line = code.replace(/\s+/g, " ");
  return line.length > 120 ? `${line.slice(0, 117)}...` : line;
}
