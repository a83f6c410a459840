import { ConformanceFailure } from "../failure.ts";
import { MALFORMED_FROM_SERVER, type MalformedVariant } from "../malformed/index.ts";
import * as wire from "../wire/index.ts";
import { type ClientCase, type ClientLab, clientRule } from "./lab.ts";

/** A client closes the connection on which a malformed packet arrives. */
export const malformedCases: readonly ClientCase[] = MALFORMED_FROM_SERVER.flatMap((malformed) =>
  clientRule({
    id: `malformed/${malformed.id}`,
    title: `closes the connection on ${malformed.fault}`,
    ...(malformed.v3 === undefined ? {} : { v3: malformed.v3 }),
    ...(malformed.v5 === undefined ? {} : { v5: malformed.v5 }),
    run: async (lab) => {
      const wrong: string[] = [];
      // One after the other: a lab's connections arrive in one line.
      for (const variant of malformed.variants(lab.version, { topic: "t", clientId: "c" })) {
        try {
          await refuses(lab, variant, malformed.isFirst === true);
        } catch (error) {
          if (!(error instanceof ConformanceFailure)) {
            throw error;
          }
          wrong.push(variant.name === "" ? error.message : `${error.message} (${variant.name})`);
        }
      }
      if (wrong.length > 0) {
        throw new ConformanceFailure(wrong.join("; "));
      }
    },
  }),
);

async function refuses(lab: ClientLab, variant: MalformedVariant, insteadOfConnack: boolean): Promise<void> {
  await lab.client();
  const server = await lab.accept();
  await server.next("CONNECT");
  if (!insteadOfConnack) {
    server.send(wire.connack(lab.version));
  }
  server.send(variant.bytes);
  await server.closes("a malformed packet");
}
