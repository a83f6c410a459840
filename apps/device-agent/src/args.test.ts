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
    secure: false,
    caFile: undefined,
    login: undefined,
    id: "cellar-1",
    intervalMs: 500,
    thresholds: new Map([["load", 2]]),
  });
  const login = ["--broker", "tls://b.example", "--ca", "ca.pem", "--username", "gauge-7", "--password-file", "p.txt"];
  expect(parseCommandLine(login)).toMatchObject({
    ...{ broker: "b.example:8883", port: 8883, secure: true, caFile: "ca.pem" },
    login: { username: "gauge-7", passwordFile: "p.txt" },
  });
  expect(parseCommandLine(["--help"])).toBe("help");
  expect(parseCommandLine(["--version"])).toBe("version");
});

it.each([
  [["--brokr", "x"], /--brokr.*; run "tidewire-device-agent --help"/],
  [["extra"], /extra/],
  [["--broker", "127.0.0.1"], /--broker "127.0.0.1" is not an address; write it like tcp:/],
  [["--broker", "http://127.0.0.1"], /is not an address/],
  [["--ca", "ca.pem"], /write --broker tls:/],
  [["--username", "gauge-7"], /add --password-file FILE/],
  [["--password-file", "p.txt"], /add --username NAME/],
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
