export type { ClientStore, QueuedMessage, SavedClient } from "./client-store.ts";
export { Persistence } from "./persistence.ts";
