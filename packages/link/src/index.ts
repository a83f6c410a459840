export { createClientLinkLoop, createLinkLoop } from "./create-link-loop.ts";
export { Deadlines, type Sleeper } from "./deadlines.ts";
export { guard } from "./guard.ts";
export type { LinkLimits } from "./limits.ts";
export type { Link, LinkHandler, LinkLoop, LinkLoopOptions, LinkOptions } from "./link.ts";
export { type LinkEvent, type LinkState, linkStates } from "./link-states.ts";
export type { Scheduler } from "./scheduler.ts";
