import { connectCases } from "./connect.ts";
import type { BrokerCase } from "./define.ts";
import { encodingCases } from "./encoding.ts";
import { enhancedCases } from "./enhanced.ts";
import { forwardingCases } from "./forwarding.ts";
import { lifetimeCases } from "./lifetime.ts";
import { limitedCases } from "./limited.ts";
import { malformedCases } from "./malformed.ts";
import { packetSizeCases } from "./packet-size.ts";
import { receiverCases } from "./qos-receiver.ts";
import { senderCases } from "./qos-sender.ts";
import { receiveMaximumCases } from "./receive-maximum.ts";
import { retainedCases } from "./retained.ts";
import { securedCases } from "./secured.ts";
import { sessionCases } from "./session.ts";
import { sharedCases } from "./shared.ts";
import { subscribeCases } from "./subscribe.ts";
import { topicAliasCases } from "./topic-alias.ts";
import { topicCases } from "./topics.ts";
import { unsubscribeCases } from "./unsubscribe.ts";
import { webSocketCases } from "./websocket.ts";
import { willCases } from "./will.ts";

export type { RawConnection, RawDial, RawDialOptions, RawHandler, RawWebSocket } from "../connection.ts";
export type { BrokerCase } from "./define.ts";
export type { BrokerHarness } from "./lab.ts";
export { type BrokerProfile, PROFILES, profileCapability } from "./profiles.ts";

/** Every broker case, by subject. */
export const brokerCases: readonly BrokerCase[] = [
  ...connectCases,
  ...encodingCases,
  ...enhancedCases,
  ...forwardingCases,
  ...lifetimeCases,
  ...limitedCases,
  ...malformedCases,
  ...packetSizeCases,
  ...receiverCases,
  ...senderCases,
  ...receiveMaximumCases,
  ...retainedCases,
  ...securedCases,
  ...sessionCases,
  ...sharedCases,
  ...subscribeCases,
  ...topicAliasCases,
  ...topicCases,
  ...unsubscribeCases,
  ...webSocketCases,
  ...willCases,
];
