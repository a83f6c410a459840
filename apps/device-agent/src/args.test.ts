import { expect, it } from "vitest";
import { parseCommandLine, UsageError } from "./args.ts";

it("has defaults that work beside a local broker", () => {
  expect(parseCommandLine([])).toMatchObject({ host: "127.0.0.1", port: 1883, intervalMs: 1000 });
  expect(parseCommandLine([])).toMatchObject({ id: expect.stringMatching(/^[A-Za-z0-9._-]+$/) });
});

it("reads every option", () => {
  const args = ["--broker", "mqtt://[::1]:1884", "--id", "cellar-1", "--interval", "0.5", "--threshold", "load=2"];
  expect(parseCommandLine(args)).toEqual({
    broker: "[::1]:1884",
    host: "::1",
    port: 1884,
    id: "cellar-1",
    intervalMs: 500,
    thresholds: new Map([["load", 2]]),
  });
  expect(parseCommandLine(["--help"])).toBe("help");
  expect(parseCommandLine(["--version"])).toBe("version");
});

it.each([
  [["--brokr", "x"], /--brokr.*; run "tidewire-device-agent --help"/],
  [["extra"], /extra/],
  [["--broker", "127.0.0.1"], /--broker "127.0.0.1" is not an address; write it like tcp:/],
  [["--broker", "http://127.0.0.1"], /is not an address/],
  [["--id", "a/b"], /is not a device name/],
  [["--id", "+"], /is not a device name/],
  [["--interval", "0"], /give seconds from 0.1/],
  [["--threshold", "cpu"], /write NAME=NUMBER/],
  [["--threshold", "fuel=9"], /with cpu, memory/],
])("refuses %j in one line", (args, message) => {
  const parse = () => parseCommandLine(args);
  expect(parse).toThrow(UsageError);
  expect(parse).toThrow(message);
});
