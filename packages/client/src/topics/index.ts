export type {
  TemplateMessage,
  TemplateParameter,
  TemplateParameters,
  TemplateSubscribeOptions,
  TemplateSubscription,
  TopicTemplate,
} from "./topic-template.ts";
export { topicTemplate } from "./topic-template.ts";
