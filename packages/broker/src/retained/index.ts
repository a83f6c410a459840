export { type RetainedEntry, RetainedMessages, type RetainedNeeds } from "./retained-messages.ts";
export { TopicTree } from "./topic-tree.ts";
