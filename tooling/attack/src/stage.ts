import { Canaries, type CanaryReport } from "./canaries.ts";
import { environmentOf } from "./plan.ts";
import { Server, users } from "./server.ts";
import type { ServerNeeds, Variant } from "./variant.ts";
import { sleep } from "./wait.ts";

/** A program with its canaries, and how these fare when nothing happens. */
export class Stage {
  readonly environment: string;
  readonly server: Server;
  readonly canaries: Canaries;
  readonly quiet: CanaryReport;

  private constructor(environment: string, server: Server, canaries: Canaries, quiet: CanaryReport) {
    this.environment = environment;
    this.server = server;
    this.canaries = canaries;
    this.quiet = quiet;
  }

  static async open(variant: Variant, script: string | undefined, needs?: ServerNeeds): Promise<Stage> {
    const server = await Server.start(variant, script, needs);
    // Where the program has no WebSockets there are none to measure.
    const transports = (["tcp", "ws"] as const).filter((transport) => server.program.urls.has(transport));
    const canaries = await Canaries.start(server.program, transports, { username: "canary", password: users.canary });
    // The first messages find code that was never run.
    await sleep(WARM_UP_MS);
    await canaries.begin();
    await sleep(QUIET_MS);
    const quiet = await canaries.report();
    if (quiet === undefined) {
      throw new Error("the canaries do not answer");
    }
    return new Stage(needs === undefined ? environmentOf(variant) : "own", server, canaries, quiet);
  }

  close(): Promise<{ readonly exit: string; readonly inTime: boolean }> {
    this.canaries.stop();
    return this.server.stop();
  }
}

const WARM_UP_MS = 300;
const QUIET_MS = 500;
