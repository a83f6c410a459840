export { createClientLinkLoop, createLinkLoop } from "./create-link-loop.ts";
export { Deadlines, type Sleeper } from "./deadlines.ts";
export type { Link, LinkHandler, LinkLimits, LinkLoop, LinkLoopOptions, LinkOptions, Scheduler } from "./interfaces.ts";
