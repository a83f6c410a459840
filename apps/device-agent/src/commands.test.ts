import { expect, it } from "vitest";
import { parseCommand } from "./commands.ts";

it.each([
  ["interval", "2", { name: "interval", intervalMs: 2000 }],
  ["interval", " 0.5\n", { name: "interval", intervalMs: 500 }],
  ["alert-test", "", { name: "alert-test", text: "Test alert" }],
  ["alert-test", "Water in the cellar", { name: "alert-test", text: "Water in the cellar" }],
] as const)("%s %j is a command", (name, payload, command) => {
  expect(parseCommand(name, payload)).toEqual(command);
});

it.each([
  ["interval", ""],
  ["interval", "fast"],
  ["interval", "0"],
  ["interval", "-1"],
  ["interval", "NaN"],
  ["interval", "Infinity"],
  ["interval", "100000"],
  ["reboot", "now"],
  ["", ""],
])("%s %j is refused with a reason", (name, payload) => {
  expect(parseCommand(name, payload)).toBeTypeOf("string");
});

it("does not carry a text of any length into an alert", () => {
  const command = parseCommand("alert-test", "x".repeat(100_000));
  expect(command).toMatchObject({ text: "x".repeat(200) });
});
