import { expect, test } from "vitest";
import { ClientError } from "../errors/index.ts";
import { isFatal } from "./refusals.ts";

const refused = (reasonCode: number) => new ClientError("refused", "", { reasonCode });

test.each([0x81, 0x82, 0x84, 0x85, 0x86, 0x87, 0x8a, 0x8c, 0x90, 0x95, 0x98, 0x99, 0x9a, 0x9b])(
  "0x%s is final when the server says it",
  (code) => {
    expect(isFatal(refused(code))).toBe(true);
    expect(isFatal(new ClientError("connection-lost", "", { reasonCode: code }))).toBe(false);
  },
);

test.each([0x80, 0x83, 0x88, 0x89, 0x8b, 0x8d, 0x93, 0x96, 0x97, 0x9c, 0x9d, 0x9f])("0x%s passes", (code) => {
  expect(isFatal(refused(code))).toBe(false);
});

test("taken over is final, and so is a path that does not exist or may not be used", () => {
  expect(isFatal(new ClientError("taken-over", "", { reasonCode: 0x8e }))).toBe(true);
  const status = (httpStatus: number) => isFatal(new ClientError("refused", "", { httpStatus }));
  expect([status(403), status(404), status(401), status(503)]).toEqual([true, true, false, false]);
});
