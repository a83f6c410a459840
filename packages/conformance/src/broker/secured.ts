import { check, checkEqual } from "../failure.ts";
import type { Property } from "../wire/index.ts";
import { property } from "../wire/index.ts";
import { type BrokerCase, rule } from "./define.ts";
import type { LabConnectOptions } from "./lab.ts";
import { PROFILES, profileCapability } from "./profiles.ts";

const { secured } = PROFILES;
const GOOD: LabConnectOptions = { profile: secured, username: "user", password: "password" };

/** User name and password, and what a client may not do (3.1.4, 3.3.5). */
export const securedCases: readonly BrokerCase[] = [
  rule({
    id: "secured/wrong-password",
    title: "refuses wrong credentials: CONNACK with an error, then close",
    v3: ["3.2.2-4", "3.2.2-5", "3.1.4-5"],
    v5: ["3.1.4-2", "3.2.2-6", "3.2.2-7", "4.13.2-1"],
    needs: [profileCapability(secured)],
    run: async (lab) => {
      const attempts: LabConnectOptions[] = [
        { username: "user", password: "wrong" },
        { username: "nobody", password: "password" },
        {},
      ];
      for (const attempt of attempts) {
        const peer = await lab.open(undefined, secured);
        peer.send(lab.connectBytes(attempt));
        await peer.closes("wrong credentials");
        const connack = peer.received[0];
        if (connack === undefined) {
          continue;
        }
        const codes = lab.five ? [0x86, 0x87] : [4, 5];
        check(codes.includes(connack.reasonCode), `expected CONNACK ${codes.join(" or ")}, got ${connack.reasonCode}`);
        checkEqual([connack.sessionPresent, peer.received.length], [false, 1], "Session Present, packets received");
      }
    },
  }),
  rule({
    id: "secured/denied-publish",
    title: "acknowledges a PUBLISH that is not allowed, or closes; and delivers it to nobody",
    v3: ["3.3.5-2"],
    v5: ["3.4.2-1", "3.5.2-1"],
    needs: [profileCapability(secured)],
    run: async (lab) => {
      const topic = lab.topic("denied");
      const watcher = await lab.connect({ ...GOOD, label: "watcher" });
      await watcher.subscribe(`${lab.topic("")}#`);
      for (const qos of [1, 2]) {
        const peer = await lab.connect(GOOD);
        const answer = await peer.publish({ topic, qos }).catch(() => undefined);
        if (answer === undefined) {
          await peer.closes("a PUBLISH that is not allowed");
        } else if (lab.five) {
          checkEqual(answer.reasonCode, 0x87, "reason code");
        }
      }
      await watcher.quiet("a message that was not allowed");
    },
  }),
  rule({
    id: "secured/small-refusals",
    title: "keeps refusals within the client's Maximum Packet Size, and without problem information where asked",
    v5: ["3.4.2-2", "3.4.2-3", "3.5.2-2", "3.5.2-3", "3.1.2-29"],
    needs: [profileCapability(secured)],
    run: async (lab) => {
      const properties: Property[] = [
        ["maximumPacketSize", 40],
        ["requestProblemInformation", 0],
      ];
      for (const qos of [1, 2]) {
        const peer = await lab.connect({ ...GOOD, properties });
        const answer = await peer.publish({ topic: lab.topic("denied"), qos }).catch(() => undefined);
        if (answer === undefined) {
          continue;
        }
        check(answer.bytes.length <= 40, "expected at most 40 bytes");
        check(property(answer, "reasonString") === undefined, "expected no Reason String");
      }
    },
  }),
].flat();
