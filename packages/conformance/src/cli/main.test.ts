import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import type { RawListener } from "../client/index.ts";
import { listenTcp } from "../node/listen.ts";
import * as wire from "../wire/index.ts";
import { PacketSplitter, Type } from "../wire/index.ts";
import { main } from "./main.ts";

const directory = mkdtempSync(join(tmpdir(), "conformance-cli-"));
const PING = "3.1.1/lifetime/pingreq";
const SUBACK = "3.1.1/subscribe/suback";
let broker: RawListener;
let output = "";

/** Speaks 3.1.1, answers PINGREQ, and nothing else. */
beforeAll(async () => {
  broker = await listenTcp((connection) => {
    const splitter = new PacketSplitter("3.1.1");
    connection.start({
      onClose: () => {},
      onData: (bytes) => {
        for (const { type, connect } of splitter.push(bytes)) {
          if (connect?.protocolLevel === 5) {
            connection.close();
          } else if (type === Type.CONNECT) {
            connection.send(wire.connack("3.1.1"));
          } else if (type === Type.PINGREQ) {
            connection.send(wire.pingresp());
          }
        }
      },
    });
  });
});

afterAll(async () => {
  await broker.close();
  rmSync(directory, { recursive: true });
});

beforeEach(() => {
  output = "";
  const write = (text: string | Uint8Array): boolean => {
    output += String(text);
    return true;
  };
  vi.spyOn(process.stdout, "write").mockImplementation(write);
  vi.spyOn(process.stderr, "write").mockImplementation(write);
  return () => vi.restoreAllMocks();
});

describe("the conformance program", () => {
  test("exits 0 when everything passes, and says how much that was", async () => {
    expect(await main([broker.address, "--only", PING])).toBe(0);
    expect(output).toBe("1 passed, 0 failed, 0 skipped\n");
  });

  test("exits 1 on a failure, with statement, expectation and transcript", async () => {
    expect(await main([broker.address, "--only", SUBACK, "--timeout", "100"])).toBe(1);
    expect(output).toContain(`FAIL ${SUBACK}: answers SUBSCRIBE`);
    expect(output).toContain("[MQTT-3.8.4-1] Each SUBSCRIBE is answered by a SUBACK.");
    expect(output).toContain("expected SUBACK, but nothing such came in time");
    expect(output).toMatch(/client 1 +-> SUBSCRIBE id=51966/);
    expect(output.endsWith("0 passed, 1 failed, 0 skipped\n")).toBe(true);
  });

  test("skips a version that the server does not speak", async () => {
    expect(await main([broker.address, "--only", "lifetime/pingreq"])).toBe(0);
    expect(output).toBe("1 passed, 0 failed, 1 skipped\n");
  });

  test("counts expected failures as passed, and unexpected passes as failed", async () => {
    const expected = join(directory, "expected.json");
    writeFileSync(expected, JSON.stringify({ [SUBACK]: "no SUBACK yet", [PING]: "was broken" }));
    const args = [broker.address, "--expect", expected, "--timeout", "100"];
    expect(await main([...args, "--only", SUBACK])).toBe(0);
    expect(await main([...args, "--only", PING])).toBe(1);
    expect(output).toContain("listed as an expected failure: was broken");
    writeFileSync(expected, JSON.stringify({ "3.1.1/gone": "renamed since" }));
    expect(await main(args)).toBe(2);
    expect(output).toContain("--expect names no case: 3.1.1/gone");
  });

  test("writes a report as JSON and as a page, without the URL's credentials", async () => {
    const [report, html] = [join(directory, "report.json"), join(directory, "report.html")];
    const url = broker.address.replace("mqtt://", "mqtt://user:secret@");
    await main([url, "--only", PING, "--only", SUBACK, "--timeout", "100", "--report", report, "--html", html]);
    const written = JSON.parse(readFileSync(report, "utf8"));
    expect(written.summary).toMatchObject({ passed: 1, failed: 1 });
    expect(written.results.map(({ outcome }: { outcome: string }) => outcome).sort()).toEqual(["failed", "passed"]);
    const page = readFileSync(html, "utf8");
    expect(page).toContain("<code>3.1.1/subscribe/suback</code>");
    expect(`${JSON.stringify(written)}${page}`).not.toContain("secret");
  });

  test("exits 2 when nobody listens, when no case is meant, and on arguments it cannot use", async () => {
    expect(await main(["mqtt://127.0.0.1:1"])).toBe(2);
    expect(output).toContain("Cannot reach 127.0.0.1:1");
    expect(await main([broker.address, "--only", "no such case"])).toBe(2);
    expect(await main(["http://127.0.0.1:1"])).toBe(2);
    expect(await main(["not a url"])).toBe(2);
    expect(await main([])).toBe(2);
  });

  test("lists cases without connecting", async () => {
    expect(await main(["--list", "--statement", "MQTT-3.12.4-1"])).toBe(0);
    expect(output.trim().split("\n")).toHaveLength(2);
  });
});
