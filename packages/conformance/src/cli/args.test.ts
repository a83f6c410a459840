import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { parseCliArgs } from "./args.ts";

const directory = mkdtempSync(join(tmpdir(), "conformance-args-"));
afterAll(() => rmSync(directory, { recursive: true }));

function file(name: string, content: string): string {
  const path = join(directory, name);
  writeFileSync(path, content);
  return path;
}

describe("parseCliArgs", () => {
  test("takes a URL alone, with defaults", () => {
    expect(parseCliArgs(["mqtt://127.0.0.1"])).toMatchObject({
      url: "mqtt://127.0.0.1",
      versions: ["3.1.1", "5.0"],
      only: [],
      expectedFailures: {},
      credentials: undefined,
    });
  });

  test("takes everything else", () => {
    const expected = file("expected.json", '{"5.0/a": "known"}');
    const certificate = file("ca.pem", "PEM");
    const args = ["wss://h/mqtt", "--version", "5.0", "--only", "will/", "--only", "qos/", "--statement", "3.1.0-2"];
    args.push("--expect", expected, "--timeout", "100", "--username", "u", "--password", "p", "--ca", certificate);
    args.push("--profile", "limited=mqtt://h:2", "--without", "retain", "--concurrency", "3");
    expect(parseCliArgs(args)).toMatchObject({
      versions: ["5.0"],
      only: ["will/", "qos/"],
      statements: ["MQTT-3.1.0-2"],
      expectedFailures: { "5.0/a": "known" },
      timeoutMs: 100,
      credentials: { username: "u", password: "p" },
      tls: { ca: "PEM" },
      profiles: [["limited", "mqtt://h:2"]],
      without: ["retain"],
      concurrency: 3,
    });
  });

  test("gives nothing for --help", () => {
    expect(parseCliArgs(["--help"])).toBeUndefined();
  });

  test.each([
    [[], "URL of a broker is missing"],
    [["mqtt://a", "mqtt://b"], "one URL"],
    [["mqtt://a", "--version", "3.1"], "--version takes"],
    [["mqtt://a", "--timeout", "soon"], "--timeout takes"],
    [["mqtt://a", "--timeout", "0"], "--timeout takes"],
    [["mqtt://a", "--password", "p"], "--password needs"],
    [["mqtt://a", "--profile", "limited"], "--profile takes"],
    [["mqtt://a", "--nonsense"], "nonsense"],
    [["mqtt://a", "--expect", "/does/not/exist"], "cannot read"],
  ])("refuses %j", (args, message) => {
    expect(() => parseCliArgs(args)).toThrow(message);
  });

  test("refuses expected failures that have no reason, or are no JSON", () => {
    expect(() => parseCliArgs(["mqtt://a", "--expect", file("empty.json", '{"5.0/a": ""}')])).toThrow("reason");
    expect(() => parseCliArgs(["mqtt://a", "--expect", file("list.json", "[]")])).toThrow("object of case ids");
    expect(() => parseCliArgs(["mqtt://a", "--expect", file("broken.json", "{")])).toThrow("not JSON");
  });
});
