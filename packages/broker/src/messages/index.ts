export { Delivery, type DeliveryReceiver, grantedQoS } from "./delivery.ts";
export { Encodings } from "./encodings.ts";
export { IncomingPublication, isExpired, outgoingProperties } from "./publication.ts";
