import { connectingCases } from "./connecting.ts";
import type { ClientCase } from "./lab.ts";
import { malformedCases } from "./malformed.ts";
import { publishingCases } from "./publishing.ts";
import { receivingCases } from "./receiving.ts";

export type { ClientDriver, ClientHarness, ClientOptions, DriverMessage, RawListener } from "./driver.ts";
export type { ClientCase } from "./lab.ts";

/** Every client case, by subject. */
export const clientCases: readonly ClientCase[] = [
  ...connectingCases,
  ...publishingCases,
  ...receivingCases,
  ...malformedCases,
];
