export { Acceptor, type AcceptorNeeds } from "./acceptor.ts";
export type { Client, ConnectedClient } from "./client.ts";
export { ClientConnection, type ConnectionNeeds } from "./client-connection.ts";
export { ConnectFlow, type ConnectingClient, type ConnectNeeds } from "./connect-flow.ts";
export { CountedConnection } from "./counted-connection.ts";
export { handlePublish, type PublishNeeds } from "./publish-flow.ts";
export { RateLimit } from "./rate-limit.ts";
export { handleUnsubscribe, SubscribeFlow, type SubscribeNeeds } from "./subscribe-flow.ts";
export { topicFits, topicRefusal } from "./topic-limits.ts";
