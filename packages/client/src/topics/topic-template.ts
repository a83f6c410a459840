import type { Client } from "../client/index.ts";
import { ClientError } from "../errors/index.ts";
import { bytesPayload, type Message, type PayloadCodec } from "../messages/index.ts";
import type { PublishOptions, PublishResult } from "../publishing/index.ts";
import type { SubscribeOptions, Subscription } from "../subscribing/index.ts";

/** The parameters of a template by name: `"devices/{id}/metrics/{name}"` gives `"id" | "name"`. */
export type TemplateParameter<Template extends string> = Template extends `${string}{${infer Name}}${infer Rest}`
  ? Name | TemplateParameter<Rest>
  : never;

/** An object with the value of every parameter. */
export type TemplateParameters<Template extends string> = { readonly [Name in TemplateParameter<Template>]: string };

/** A message of a template's topic, with its parameters and its decoded payload. */
export interface TemplateMessage<Template extends string, Value> {
  readonly params: TemplateParameters<Template>;
  readonly value: Value;
  readonly message: Message;
}

/** Options of a template's subscription. */
export interface TemplateSubscribeOptions<Template extends string, Value> extends Omit<SubscribeOptions, "onMessage"> {
  /** Fixes parameters: `{ id: "7" }` subscribes to `devices/7/metrics/+`. */
  readonly params?: Partial<TemplateParameters<Template>>;
  /** A payload that cannot be decoded is reported as `handler-failed` and does not come here. */
  readonly onMessage?: (message: TemplateMessage<Template, Value>) => void | Promise<void>;
}

/** Iterates decoded messages; a payload that cannot be decoded throws out of the iteration. */
export interface TemplateSubscription<Template extends string, Value>
  extends AsyncIterableIterator<TemplateMessage<Template, Value>>,
    AsyncDisposable {
  readonly subscription: Subscription;
}

/** A topic with named levels and a payload type: a typed publish and subscribe pair. */
export interface TopicTemplate<Template extends string, Value> {
  readonly template: Template;
  /** The topic with every parameter filled in; throws `invalid-argument` on a value that would be more than a level. */
  topic(params: TemplateParameters<Template>): string;
  /** The filter with `+` for every parameter that is not given. */
  filter(params?: Partial<TemplateParameters<Template>>): string;
  /** The parameters of a topic that fits, else undefined. */
  match(topic: string): TemplateParameters<Template> | undefined;
  publish(
    client: Client,
    params: TemplateParameters<Template>,
    value: Value,
    options?: PublishOptions,
  ): Promise<PublishResult>;
  subscribe(
    client: Client,
    options?: TemplateSubscribeOptions<Template, Value>,
  ): Promise<TemplateSubscription<Template, Value>>;
}

/** Makes a template from text such as `"devices/{id}/metrics/{name}"`; a parameter is a whole level. Payloads are bytes. */
export function topicTemplate<const Template extends string>(template: Template): TopicTemplate<Template, Uint8Array>;
/**
 * The same, with payloads of one type.
 *
 * @example
 * const metric = topicTemplate("devices/{id}/metrics/{name}", jsonPayload(schema));
 * await metric.publish(client, { id: "7", name: "cpu" }, { value: 0.5 });
 */
export function topicTemplate<const Template extends string, Value>(
  template: Template,
  payload: PayloadCodec<Value>,
): TopicTemplate<Template, Value>;
export function topicTemplate(
  template: string,
  payload: PayloadCodec<unknown> = bytesPayload as PayloadCodec<unknown>,
): TopicTemplate<string, unknown> {
  const levels = template.split("/").map(parseLevel);

  function fill(params: Readonly<Record<string, string | undefined>>, missing: string | undefined): string {
    return levels
      .map(({ text, parameter }) => (parameter === undefined ? text : levelValue(parameter, params, missing)))
      .join("/");
  }

  function match(topic: string): Record<string, string> | undefined {
    const parts = topic.split("/");
    if (parts.length !== levels.length) {
      return undefined;
    }
    const params: [string, string][] = [];
    for (const [depth, { text, parameter }] of levels.entries()) {
      if (parameter !== undefined) {
        params.push([parameter, parts[depth]!]);
      } else if (parts[depth] !== text) {
        return undefined;
      }
    }
    return Object.fromEntries(params);
  }

  function decode(message: Message): TemplateMessage<string, unknown> {
    return { params: match(message.topic) ?? {}, value: payload.decode(message.payload), message };
  }

  return {
    template,
    match,
    topic: (params) => fill(params, undefined),
    filter: (params = {}) => fill(params, "+"),
    publish: async (client, params, value, options) =>
      client.publish(fill(params, undefined), payload.encode(value), options),
    subscribe: async (client, { params = {}, onMessage, ...options } = {}) => {
      const callback = onMessage && { onMessage: (message: Message) => onMessage(decode(message)) };
      return decoded(await client.subscribe(fill(params, "+"), { ...options, ...callback }), decode);
    },
  };
}

interface Level {
  readonly text: string;
  readonly parameter: string | undefined;
}

function parseLevel(text: string): Level {
  const parameter = /^\{([^{}]+)\}$/.exec(text)?.[1];
  if (parameter === undefined && /[{}+#]/.test(text)) {
    throw new ClientError(
      "invalid-argument",
      "In a topic template a parameter is a whole level, and wildcards are not allowed.",
    );
  }
  return { text, parameter };
}

function levelValue(
  parameter: string,
  params: Readonly<Record<string, string | undefined>>,
  missing: string | undefined,
): string {
  const value = params[parameter];
  if (value === undefined && missing !== undefined) {
    return missing;
  }
  // A value with a slash or wildcard would publish to, or subscribe to, what the template does not mean.
  if (value === undefined || value === "" || /[/+#\0]/.test(value)) {
    throw new ClientError(
      "invalid-argument",
      `The topic parameter "${parameter}" is missing, or is not one plain level.`,
    );
  }
  return value;
}

function decoded<Value>(
  subscription: Subscription,
  decode: (message: Message) => TemplateMessage<string, Value>,
): TemplateSubscription<string, Value> {
  return {
    subscription,
    next: async () => {
      const result = await subscription.next();
      return result.done === true ? result : { done: false, value: decode(result.value) };
    },
    return: async () => {
      await subscription.unsubscribe();
      return { done: true, value: undefined };
    },
    [Symbol.asyncIterator]() {
      return this;
    },
    [Symbol.asyncDispose]: () => subscription.unsubscribe(),
  };
}
