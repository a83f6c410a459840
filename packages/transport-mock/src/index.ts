export { MockConnection } from "./connection.ts";
export { MockNetworkError, type MockNetworkErrorCode } from "./errors.ts";
export { MockLink } from "./link.ts";
export { MockNetwork, type MockNetworkOptions, mockNetwork } from "./network.ts";
export type { Chunking } from "./pipe.ts";
export { Random } from "./random.ts";
export { VirtualScheduler, type VirtualTimer } from "./scheduler.ts";
export { Transcript, type TranscriptEntry, type TranscriptEvent } from "./transcript.ts";
