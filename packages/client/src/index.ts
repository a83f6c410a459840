export type { Properties, QoS } from "@tidewire/codec";
export { ReasonCode } from "@tidewire/codec";
export type { Authenticator, EnhancedAuthentication } from "@tidewire/session";
export { enhancedAuthentication } from "@tidewire/session";
export type { OperationOptions } from "./calls/index.ts";
export type { Client, CloseOptions, RequestOptions } from "./client/index.ts";
export { connect, createClient } from "./client/index.ts";
export type { ClientErrorCode } from "./errors/index.ts";
export { ClientError } from "./errors/index.ts";
export type { ClientEvents, Status, StatusDetail } from "./events/index.ts";
export type { ConnectOptions, Credentials, ReconnectOptions, Target, WillOptions } from "./handshake/index.ts";
export type { ClientLimits } from "./limits.ts";
export type {
  Message,
  PayloadCodec,
  SchemaIssue,
  SchemaOutput,
  SchemaResult,
  StandardSchema,
} from "./messages/index.ts";
export { bytesPayload, jsonPayload, textPayload } from "./messages/index.ts";
export type { ClientStore, QueuedMessage, SavedClient } from "./persistence/index.ts";
export type { PublishOptions, PublishResult, QueueOptions, QueuePolicy } from "./publishing/index.ts";
export type { SubscribeOptions, Subscription } from "./subscribing/index.ts";
export type {
  TemplateMessage,
  TemplateParameter,
  TemplateParameters,
  TemplateSubscribeOptions,
  TemplateSubscription,
  TopicTemplate,
} from "./topics/index.ts";
export { topicTemplate } from "./topics/index.ts";
