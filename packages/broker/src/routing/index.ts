export { FilterShapes, SharedShapes } from "./filter-shapes.ts";
export { FilterTree } from "./filter-tree.ts";
export { type Route, RouteCache } from "./route-cache.ts";
export { Router, type RouterNeeds } from "./router.ts";
export { SharedGroup } from "./shared-group.ts";
export {
  type Backlog,
  Readiness,
  type RouteTarget,
  type Subscriber,
  Subscription,
  SubscriptionList,
} from "./subscription.ts";
