import { expect, it } from "vitest";
import { gapLine, loggerTo } from "./logging.ts";

function logged(log: (logger: ReturnType<typeof loggerTo>) => void): Record<string, unknown> {
  const lines: string[] = [];
  log(loggerTo({ write: (line) => lines.push(line) }, "info"));
  expect(lines).toHaveLength(1);
  return JSON.parse(lines[0] ?? "");
}

it("cuts every value at 256 characters, wherever it stands", () => {
  const long = "x".repeat(65_535);
  const cutted = `${"x".repeat(256)}... (65535 characters)`;
  const fields = { clientId: long, list: [long], deep: { topic: long, more: { most: { tooDeep: long } } } };
  expect(logged((logger) => logger.info(fields, "refused a client"))).toMatchObject({
    clientId: cutted,
    list: [cutted],
    deep: { topic: cutted, more: { most: "..." } },
    msg: "refused a client",
  });
  const line = logged((logger) => logger.info({ [long]: 1, many: Array(1000).fill(long) }, long));
  expect(JSON.stringify(line).length).toBeLessThan(10_000);
});

it("logs an error with its code, its cause and where it was made, and no more", () => {
  const error = Object.assign(new Error("no room", { cause: new Error("ENOSPC") }), { code: "store-full" });
  error.message = "m".repeat(100_000);
  const { err } = logged((logger) => logger.error({ err: error }, "the store failed"));
  expect(err).toMatchObject({ type: "Error", code: "store-full", cause: "Error: ENOSPC" });
  expect(JSON.stringify(err).length).toBeLessThan(6000);
  expect(JSON.stringify(err)).toContain("logging.test.ts");
});

it("puts up with whatever it is given", () => {
  const endless: Record<string, unknown> = { big: 1n, call() {}, bytes: Buffer.alloc(1_000_000) };
  endless.self = endless;
  expect(logged((logger) => logger.info(endless, "odd"))).toMatchObject({ big: "1", bytes: "1000000 bytes" });
});

it("has a line for lines that are missing", () => {
  expect(JSON.parse(gapLine(7))).toMatchObject({
    level: 40,
    leftOut: 7,
    msg: expect.stringMatching(/^7 lines left out: /),
  });
});
