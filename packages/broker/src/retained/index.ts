export { type RetainedEntry, RetainedMessages, type RetainedNeeds } from "./retained-messages.ts";
export { TopicTree, type TopicWalk } from "./topic-tree.ts";
