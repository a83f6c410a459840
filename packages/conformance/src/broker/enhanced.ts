import { check, checkEqual } from "../failure.ts";
import type { Peer } from "../peer.ts";
import type { Property } from "../wire/index.ts";
import * as wire from "../wire/index.ts";
import { bytes, property, type WirePacket } from "../wire/index.ts";
import { type BrokerCase, rule } from "./define.ts";
import type { Lab } from "./lab.ts";
import { PROFILES, profileCapability } from "./profiles.ts";

const { enhanced } = PROFILES;
const METHOD: Property = ["authenticationMethod", "conformance"];

/** Enhanced authentication (MQTT 5.0, 4.12). */
export const enhancedCases: readonly BrokerCase[] = [
  rule({
    id: "enhanced/unknown-method",
    title: "refuses an authentication method it does not know",
    v5: ["4.12.0-1", "3.1.4-2"],
    run: async (lab) => {
      const peer = await lab.open();
      peer.send(lab.connectBytes({ properties: [["authenticationMethod", "no such method"]] }));
      await peer.closes("unknown authentication method");
      const codes = peer.received.map(({ reasonCode }) => reasonCode);
      check(codes.length === 0 || codes[0] === 0x8c || codes[0] === 0x87, "expected CONNACK 0x8C or 0x87, or none");
    },
  }),
  rule({
    id: "enhanced/not-without-method",
    title: "sends neither AUTH nor an Authentication Method to a client that named none",
    v5: ["4.12.0-6"],
    run: async (lab) => {
      const { peer, connack } = await lab.connectWith();
      checkEqual(property(connack, "authenticationMethod"), undefined, "Authentication Method in CONNACK");
      await peer.ping();
      await peer.quiet("AUTH without an authentication method", ["AUTH"]);
    },
  }),
  rule({
    id: "enhanced/auth-without-method",
    title: "closes on AUTH from a client that named no method",
    v5: ["4.12.0-7"],
    run: async (lab) => {
      const peer = await lab.connect();
      peer.send(wire.auth(0x19, [METHOD]));
      await peer.closes("AUTH without an authentication method in CONNECT");
    },
  }),
  rule({
    id: "enhanced/exchange",
    title: "asks for more with AUTH 0x18, and repeats the method in AUTH and CONNACK",
    v5: ["4.12.0-2", "4.12.0-5", "3.15.2-1", "3.15.1-1"],
    needs: [profileCapability(enhanced)],
    run: async (lab) => {
      const { connack, challenge } = await authenticate(lab);
      checkEqual(challenge.flags, 0, "fixed header flags of AUTH");
      checkEqual(property(connack, "authenticationMethod"), METHOD[1], "Authentication Method in CONNACK");
    },
  }),
  rule({
    id: "enhanced/refused",
    title: "closes when the authentication data is wrong",
    v5: ["4.12.0-4", "3.2.2-7"],
    needs: [profileCapability(enhanced)],
    run: async (lab) => {
      const { peer } = await challenged(lab);
      peer.send(wire.auth(0x18, [METHOD, ["authenticationData", "wrong"]]));
      await peer.closes("wrong authentication data");
      const connack = peer.received.find(({ type }) => type === 2);
      check(connack === undefined || connack.reasonCode >= 0x80, "expected an error code in CONNACK");
    },
  }),
  rule({
    id: "enhanced/method-changed",
    title: "closes when AUTH names another method than CONNECT",
    v5: ["4.12.0-5"],
    needs: [profileCapability(enhanced)],
    run: async (lab) => {
      const { peer } = await challenged(lab);
      peer.send(
        wire.auth(0x18, [
          ["authenticationMethod", "other"],
          ["authenticationData", "response"],
        ]),
      );
      await peer.closes("another authentication method");
    },
  }),
  rule({
    id: "enhanced/nothing-else-before-connack",
    title: "serves no other packet while authentication goes on",
    v5: ["3.2.0-1", "3.1.2-30"],
    needs: [profileCapability(enhanced)],
    run: async (lab) => {
      const { peer } = await challenged(lab);
      peer.send(wire.subscribe("5.0", 1, [[lab.topic(), 0]]));
      await peer.closes("SUBSCRIBE before authentication was complete");
      await peer.quiet("SUBACK before CONNACK", ["SUBACK"], 0);
    },
  }),
  rule({
    id: "enhanced/again",
    title: "authenticates again on a connection that goes on",
    v5: ["4.12.0-2", "4.12.0-5", "3.15.2-1"],
    needs: [profileCapability(enhanced)],
    run: async (lab) => {
      const { peer } = await authenticate(lab);
      peer.send(wire.auth(0x19, [METHOD, ["authenticationData", "again"]]));
      checkEqual((await peer.take("AUTH")).reasonCode, 0x18, "reason of the challenge");
      await peer.ping();
      peer.send(wire.auth(0x18, [METHOD, ["authenticationData", "response"]]));
      const done = await peer.take("AUTH");
      checkEqual([done.reasonCode, property(done, "authenticationMethod")], [0, METHOD[1]], "AUTH at the end");
    },
  }),
  rule({
    id: "enhanced/again-refused",
    title: "closes when re-authentication fails",
    v5: ["4.12.1-2", "4.13.2-1"],
    needs: [profileCapability(enhanced)],
    run: async (lab) => {
      const { peer } = await authenticate(lab);
      peer.send(wire.auth(0x19, [METHOD, ["authenticationData", "again"]]));
      await peer.take("AUTH");
      peer.send(wire.auth(0x18, [METHOD, ["authenticationData", "wrong"]]));
      await peer.closes("failed re-authentication");
    },
  }),
  rule({
    id: "enhanced/small-auth",
    title: "keeps AUTH within the client's Maximum Packet Size",
    v5: ["3.15.2-2", "3.15.2-3"],
    needs: [profileCapability(enhanced)],
    run: async (lab) => {
      const { challenge, connack } = await authenticate(lab, [["maximumPacketSize", 64]]);
      for (const packet of [challenge, connack]) {
        check(packet.bytes.length <= 64, "expected at most 64 bytes");
      }
    },
  }),
].flat();

async function challenged(lab: Lab, more: readonly Property[] = []): Promise<{ peer: Peer; challenge: WirePacket }> {
  const peer = await lab.open(undefined, enhanced);
  peer.send(lab.connectBytes({ properties: [METHOD, ["authenticationData", bytes(1)], ...more] }));
  const challenge = await peer.next("AUTH");
  checkEqual(challenge.reasonCode, 0x18, "AUTH reason code");
  checkEqual(property(challenge, "authenticationMethod"), METHOD[1], "Authentication Method in AUTH");
  return { peer, challenge };
}

async function authenticate(
  lab: Lab,
  more: readonly Property[] = [],
): Promise<{ peer: Peer; challenge: WirePacket; connack: WirePacket }> {
  const { peer, challenge } = await challenged(lab, more);
  peer.send(wire.auth(0x18, [METHOD, ["authenticationData", "response"]]));
  return { peer, challenge, connack: await peer.connack() };
}
