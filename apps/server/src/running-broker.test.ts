import { expect, it } from "vitest";
import { logFields } from "./running-broker.ts";

const error = new Error("no room");

it.each([
  [[], {}],
  [[error], { err: error }],
  [
    [{ clientId: "c1", address: "192.0.2.1:5", reason: "keep-alive" }],
    { clientId: "c1", address: "192.0.2.1:5", reason: "keep-alive" },
  ],
  [[{ clientId: "c1" }, error, 7], { clientId: "c1", err: error, details: [7] }],
  // A field must not be taken for what the logger writes itself.
  [[{ level: 10, msg: "forged" }], { its_level: 10, its_msg: "forged" }],
  [["text", ["a"]], { details: ["text", ["a"]] }],
])("makes fields of %j", (details, fields) => {
  expect(logFields(details)).toEqual(fields);
});
