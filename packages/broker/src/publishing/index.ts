export {
  type LocalMessageHandler,
  LocalSubscriber,
  type LocalSubscriberNeeds,
  type LocalSubscription,
} from "./local-subscriber.ts";
export { Publisher, type PublisherNeeds, Refused } from "./publisher.ts";
export { SysTopics, type SysTopicsNeeds } from "./sys-topics.ts";
export { publishWill, type WillNeeds } from "./will.ts";
