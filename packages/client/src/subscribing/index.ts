export type { ConsumerHost } from "./consumer.ts";
export { Consumer } from "./consumer.ts";
export { Incoming } from "./incoming.ts";
export { Pressure } from "./pressure.ts";
export { Subscriber } from "./subscriber.ts";
export type { SubscribeOptions, Subscription } from "./subscription.ts";
