export type { DialUrlOptions } from "./dial.ts";
export { dialUrl, rawSocket, rawWebSocket, withProfiles } from "./dial.ts";
export { listenTcp, listenWebSocket } from "./listen.ts";
export { readStatements } from "./statements.ts";
