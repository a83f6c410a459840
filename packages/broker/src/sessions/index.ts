export { Pump, type PumpedSession, type PumpNeeds } from "./pump.ts";
export { Session, type SessionNeeds, type SessionRecord } from "./session.ts";
export type { SessionConnection } from "./session-connection.ts";
export { SessionQueue, type SessionQueueOptions } from "./session-queue.ts";
export { type OpenedSession, Sessions, type SessionsNeeds } from "./sessions.ts";
export { UserShapes } from "./user-shapes.ts";
