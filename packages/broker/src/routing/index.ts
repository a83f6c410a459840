export { FilterTree, hasWildcard } from "./filter-tree.ts";
export { type Route, RouteCache } from "./route-cache.ts";
export { Router } from "./router.ts";
export { SharedGroup } from "./shared-group.ts";
export { Readiness, type RouteTarget, type Subscriber, Subscription, SubscriptionList } from "./subscription.ts";
