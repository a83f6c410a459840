export { Clock } from "./clock.ts";
export { Deadline, Deadlines } from "./deadlines.ts";
