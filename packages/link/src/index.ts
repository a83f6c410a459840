export type { Link, LinkHandler, LinkLimits, LinkLoop, LinkLoopOptions, LinkOptions, Scheduler } from "./interfaces.ts";
