import { createClient, type LiteClient } from "@tidewire/client/lite";
import { connect as connectMinimal } from "@tidewire/client/minimal";
import { nodeScheduler } from "@tidewire/link/node";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { aedes, mosquitto, nats, type RunningBroker, tidewire } from "../src/client-brokers.ts";
import { describeWithPeers } from "../src/peers.ts";
import { until } from "../src/until.ts";

// The small clients at real brokers, over real WebSockets.

const MESSAGES = 200;
const text = (payload: Uint8Array): string => new TextDecoder().decode(payload);

for (const broker of [tidewire, mosquitto, aedes, nats]) {
  if (!broker.transports.includes("websocket")) {
    continue;
  }
  describeWithPeers(broker.peers, `lite and minimal at ${broker.name}`, () => {
    let running: RunningBroker;
    let url: string;
    beforeAll(async () => {
      running = await broker.start();
      url = String(running.targets.websocket);
    });
    afterAll(() => running.stop());

    describe.each(broker.versions)("version %i", (version) => {
      // What comes in a burst after a cut, Debian's mosquitto delivers in part to a subscriber of 3.1.1, and Aedes twice now and
      // then; to our other client as well.
      const keepsItsWord = broker === tidewire || (broker === mosquitto && version === 5);

      it(`lite: loses and repeats nothing of QoS 2${keepsItsWord ? " over cut connections" : ""}`, async () => {
        const cuts: (() => void)[] = [];
        const open = (clientId: string): LiteClient =>
          createClient(url, {
            clientId: `${clientId}-${version}`,
            protocolVersion: version,
            cleanStart: false,
            sessionExpiryInterval: 60,
            reconnect: { minDelayMs: 20 },
            scheduler: nodeScheduler(),
            WebSocket: cuttable(cuts),
          });
        const [publisher, subscriber] = [open("publisher"), open("subscriber")];
        const got: string[] = [];
        await subscriber.subscribe(`lite/${version}`, { qos: 2, onMessage: ({ payload }) => got.push(text(payload)) });
        const published: Promise<unknown>[] = [];
        for (let i = 0; i < MESSAGES; i += 1) {
          published.push(publisher.publish(`lite/${version}`, String(i), { qos: 2 }));
          if (keepsItsWord && i % 50 === 25) {
            for (const cut of cuts.splice(0)) {
              cut();
            }
          }
          await new Promise((resolve) => setTimeout(resolve, 2));
        }
        await Promise.all(published);
        await until("all messages", () => got.length >= MESSAGES);
        expect(got).toEqual(Array.from({ length: MESSAGES }, (_, i) => String(i)));
        await Promise.all([publisher.close(), subscriber.close()]);
      });

      it("minimal: publishes and receives", async () => {
        const got: string[] = [];
        const client = await connectMinimal(url, {
          protocolVersion: version,
          onMessage: ({ topic, payload }) => got.push(`${topic} ${text(payload)}`),
          scheduler: nodeScheduler(),
          WebSocket: cuttable([]),
        });
        await client.subscribe("minimal/+");
        client.publish("minimal/1", "one");
        await until("a message", () => got.length > 0);
        expect(got).toEqual(["minimal/1 one"]);
        await client.unsubscribe("minimal/+");
        await client.close();
      });
    });
  });
}

/** `ws`' WebSocket, whose connections can be cut. */
function cuttable(cuts: (() => void)[]): typeof globalThis.WebSocket {
  return class extends WebSocket {
    constructor(url: string, protocol: string) {
      super(url, protocol);
      // What it has to say is in `onclose` as well.
      this.on("error", () => {});
      cuts.push(() => this.terminate());
    }
  } as unknown as typeof globalThis.WebSocket;
}
