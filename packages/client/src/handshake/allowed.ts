import type { Allowed } from "./check-connect.ts";

/** What is valid in the options that CONNECT is made of. */
export const allowedInConnect: Allowed = {
  version: "protocolVersion is 4 or 5.",
  clientId: "a string; in MQTT 3.1.1 not empty, unless with cleanStart.",
  keepAlive: "whole seconds from 0 to 65535.",
  will: "it needs a topic without wildcards and a payload; QoS is 0, 1 or 2.",
  username: "a string; in MQTT 3.1.1 a password needs one.",
  password: "a string or bytes.",
  properties:
    "sessionExpiryInterval is from 0 to 4294967295, receiveMaximum from 1 to 65535, user properties are pairs of strings.",
};
