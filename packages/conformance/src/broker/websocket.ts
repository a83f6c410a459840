import { check, checkEqual } from "../failure.ts";
import * as wire from "../wire/index.ts";
import { concat } from "../wire/index.ts";
import { type BrokerCase, rule } from "./define.ts";
import { text } from "./messages.ts";

/** MQTT over WebSocket (6). */
export const webSocketCases: readonly BrokerCase[] = [
  rule({
    id: "websocket/subprotocol",
    title: 'agrees on the subprotocol "mqtt"',
    v3: ["6.0.0-4"],
    v5: ["6.0.0-4"],
    needs: ["websocket"],
    run: async (lab) => {
      const peer = await lab.connect();
      checkEqual(peer.webSocket?.protocol, "mqtt", "subprotocol");
    },
  }),
  rule({
    id: "websocket/text-frame",
    title: "closes the connection on a text frame",
    v3: ["6.0.0-1"],
    v5: ["6.0.0-1"],
    needs: ["websocket"],
    run: async (lab) => {
      const peer = await lab.connect();
      // A PUBLISH whose bytes are all ASCII: right in every way but the kind of frame.
      const publish = wire.publish(lab.version, { topic: lab.topic(), payload: "text" });
      peer.sendText(String.fromCharCode(...publish));
      await peer.closes("text frame");
    },
  }),
  rule({
    id: "websocket/packets-across-frames",
    title: "takes packets split over frames, and several packets in one frame",
    v3: ["6.0.0-2"],
    v5: ["6.0.0-2"],
    needs: ["websocket"],
    run: async (lab) => {
      const topic = lab.topic();
      const { version } = lab;
      const peer = await lab.open();
      const connect = lab.connectBytes();
      for (const byte of connect) {
        peer.send(Uint8Array.of(byte));
      }
      await peer.connack();
      const publish = wire.publish(version, { topic, qos: 1, packetId: 2, payload: "split" });
      peer.send(concat(wire.subscribe(version, 1, [[topic, 1]]), publish.subarray(0, 5)));
      peer.send(publish.subarray(5, 9));
      peer.send(concat(publish.subarray(9), wire.pingreq()));
      await peer.take("SUBACK");
      await peer.take("PUBACK");
      await peer.take("PINGRESP");
      checkEqual(text(await peer.message()), "split", "payload");
    },
  }),
  rule({
    id: "websocket/empty-frame",
    title: "passes over an empty frame",
    v3: ["6.0.0-2"],
    v5: ["6.0.0-2"],
    needs: ["websocket"],
    run: async (lab) => {
      const peer = await lab.connect();
      peer.send(new Uint8Array(0));
      await peer.alive("an empty frame carries no bytes");
      check(!peer.closed, "expected the connection to stay open");
    },
  }),
].flat();
