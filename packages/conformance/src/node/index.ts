export type { DialUrlOptions } from "./dial.ts";
export { dialUrl, rawSocket, rawWebSocket, withProfiles } from "./dial.ts";
