export type { Authenticator, EnhancedAuthentication } from "@tidewire/session";
export { enhancedAuthentication } from "@tidewire/session";
export { connect, createClient } from "./connect.ts";
export type { ClientErrorCode } from "./errors.ts";
export { ClientError } from "./errors.ts";
export type {
  Client,
  ClientEvents,
  CloseOptions,
  Message,
  OperationOptions,
  PublishOptions,
  PublishResult,
  RequestOptions,
  Status,
  StatusDetail,
  SubscribeOptions,
  Subscription,
} from "./interfaces.ts";
export type { ClientLimits } from "./limits.ts";
export type {
  ConnectOptions,
  Credentials,
  QueueOptions,
  QueuePolicy,
  ReconnectOptions,
  Target,
  WillOptions,
} from "./options.ts";
export type { PayloadCodec } from "./payload.ts";
export { bytesPayload, jsonPayload, textPayload } from "./payload.ts";
export type { SchemaIssue, SchemaOutput, SchemaResult, StandardSchema } from "./standard-schema.ts";
export type { ClientStore, QueuedMessage, SavedClient } from "./store.ts";
export type {
  TemplateMessage,
  TemplateParameter,
  TemplateParameters,
  TemplateSubscribeOptions,
  TemplateSubscription,
  TopicTemplate,
} from "./topic-template.ts";
export { topicTemplate } from "./topic-template.ts";
