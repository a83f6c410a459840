export {
  type Admission,
  isRefusal,
  NEXT,
  readAdmission,
  readGrant,
  readPermission,
  readStep,
  readVerdict,
} from "./answers.ts";
export { type Answer, Authority, type AuthorityOptions, type RetainedPublisher } from "./authority.ts";
export { type BrokerEvents, EventHub } from "./events.ts";
export {
  type AuthenticateAccepted,
  type AuthenticateResult,
  type AuthenticationAnswer,
  type AuthenticationStep,
  type BrokerHooks,
  type ClientInfo,
  type ConnectRequest,
  type MaybePromise,
  NO_CONNECTION,
  type Refusal,
  refusalProperties,
  type SubscribeVerdict,
  type Verdict,
} from "./hooks.ts";
