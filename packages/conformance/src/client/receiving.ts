import { check, checkEqual } from "../failure.ts";
import type { Property } from "../wire/index.ts";
import * as wire from "../wire/index.ts";
import { bytes, concat, Type, utf8 } from "../wire/index.ts";
import { type ClientCase, clientRule } from "./lab.ts";

/** A client as subscriber and receiver (3.3.4, 3.8, 3.10, 4.3, 4.5, 4.6, 6). */
export const receivingCases: readonly ClientCase[] = [
  clientRule({
    id: "receive/acknowledged",
    title: "answers PUBLISH according to its QoS, under its identifier",
    v3: ["3.3.4-1", "2.3.1-6", "4.3.2-2", "4.3.3-2"],
    v5: ["3.3.4-1", "2.2.1-5", "4.3.2-4", "4.3.3-8", "4.3.3-11", "3.4.2-1", "3.5.2-1", "3.7.2-1"],
    run: async (lab) => {
      const { server } = await lab.session();
      server.send(wire.publish(lab.version, { topic: "in", payload: "0" }));
      await server.quiet("an acknowledgement of QoS 0", ["PUBACK", "PUBREC"], 100);
      server.send(wire.publish(lab.version, { topic: "in", payload: "1", qos: 1, packetId: 4_660 }));
      server.send(wire.publish(lab.version, { topic: "in", payload: "2", qos: 2, packetId: 65_535 }));
      const answers = [await server.take("PUBACK"), await server.take("PUBREC")];
      server.send(wire.ack(Type.PUBREL, 65_535));
      answers.push(await server.take("PUBCOMP"));
      checkEqual(
        answers.map(({ packetId }) => packetId),
        [4_660, 65_535, 65_535],
        "identifiers",
      );
      checkEqual(
        answers.map(({ reasonCode }) => reasonCode),
        [0, 0, 0],
        "reason codes",
      );
    },
  }),
  clientRule({
    id: "receive/discarded-is-acknowledged",
    title: "acknowledges messages that nobody in the application asked for",
    v3: ["4.5.0-2"],
    v5: ["4.5.0-2"],
    run: async (lab) => {
      const { server } = await lab.session();
      server.send(wire.publish(lab.version, { topic: "never/subscribed", qos: 1, packetId: 1 }));
      await server.take("PUBACK");
      server.send(wire.publish(lab.version, { topic: "never/subscribed", qos: 2, packetId: 2 }));
      await server.take("PUBREC");
    },
  }),
  clientRule({
    id: "receive/acknowledgement-order",
    title: "acknowledges in the order of arrival",
    v3: ["4.6.0-2", "4.6.0-3"],
    v5: ["4.6.0-2", "4.6.0-3"],
    run: async (lab) => {
      const { server } = await lab.session();
      const ids = [9, 3, 300, 1, 77];
      for (const [qos, type] of [
        [1, "PUBACK"],
        [2, "PUBREC"],
      ] as const) {
        server.send(concat(...ids.map((packetId) => wire.publish(lab.version, { topic: "in", qos, packetId }))));
        const found = [];
        for (const _ of ids) {
          found.push((await server.take(type)).packetId);
        }
        checkEqual(found, ids, `order of ${type}`);
      }
    },
  }),
  clientRule({
    id: "receive/qos-2-once",
    title: "hands on a repeated QoS 2 message once, and a completed identifier as new",
    v3: ["4.3.3-2"],
    v5: ["4.3.3-10", "4.3.3-12"],
    run: async (lab) => {
      const { server } = await lab.session(lab.returning);
      const publish = (payload: string, dup = false): Uint8Array =>
        wire.publish(lab.version, { topic: "in", payload, qos: 2, packetId: 8, dup });
      for (const dup of [false, true]) {
        server.send(publish("first", dup));
        checkEqual((await server.take("PUBREC")).packetId, 8, "PUBREC identifier");
      }
      server.send(wire.ack(Type.PUBREL, 8));
      await server.take("PUBCOMP");
      server.send(publish("second"));
      await server.take("PUBREC");
      server.send(wire.ack(Type.PUBREL, 8));
      await server.take("PUBCOMP");
      await lab.wait(50);
      checkEqual(await lab.received(2), ["first", "second"], "messages at the application");
    },
  }),
  clientRule({
    id: "receive/qos-1-new-after-puback",
    title: "takes a PUBLISH under an acknowledged identifier as new, whatever its DUP",
    v3: ["4.3.2-2"],
    v5: ["4.3.2-5"],
    run: async (lab) => {
      const { server } = await lab.session();
      for (const [payload, dup] of [
        ["first", false],
        ["second", true],
      ] as const) {
        server.send(wire.publish(lab.version, { topic: "in", payload, qos: 1, packetId: 8, dup }));
        await server.take("PUBACK");
      }
      checkEqual(await lab.received(2), ["first", "second"], "messages at the application");
    },
  }),
  clientRule({
    id: "receive/pubrel-unknown",
    title: "answers a repeated PUBREL with PUBCOMP",
    v3: ["4.3.3-2"],
    v5: ["4.3.3-11"],
    run: async (lab) => {
      const { server } = await lab.session();
      server.send(wire.ack(Type.PUBREL, 21));
      const pubcomp = await server.take("PUBCOMP");
      checkEqual(pubcomp.packetId, 21, "PUBCOMP identifier");
      check([0, 0x92].includes(pubcomp.reasonCode), "expected reason 0x00 or 0x92");
    },
  }),
  clientRule({
    id: "receive/topic-alias",
    title: "takes every Topic Alias up to its own maximum",
    v5: ["3.3.2-10"],
    needs: ["topic-alias"],
    run: async (lab) => {
      const { server, connect } = await lab.session({ topicAliasMaximum: 5 });
      const alias = (value: number): Property[] => [["topicAlias", value]];
      checkEqual(connect.properties.find(([name]) => name === "topicAliasMaximum")?.[1], 5, "Topic Alias Maximum");
      for (const value of [1, 5]) {
        server.send(wire.publish("5.0", { topic: `in/${value}`, properties: alias(value) }));
        server.send(wire.publish("5.0", { topic: "", properties: alias(value) }));
      }
      await lab.received(4);
      checkEqual(
        lab.messages.map(({ topic }) => topic),
        ["in/1", "in/1", "in/5", "in/5"],
        "topics",
      );
      server.send(wire.publish("5.0", { topic: "in", properties: alias(6) }));
      await server.closes("Topic Alias above the client's maximum");
    },
  }),
  clientRule({
    id: "receive/receive-maximum",
    title: "closes when the server exceeds its Receive Maximum",
    v5: [],
    run: async (lab) => {
      const { server } = await lab.session({ receiveMaximum: 2 });
      const publishes = [1, 2, 3].map((packetId) => wire.publish("5.0", { topic: "in", qos: 2, packetId }));
      server.send(concat(...publishes));
      await server.closes("three unreleased messages where two were allowed");
    },
  }),
  clientRule({
    id: "receive/zero-width-no-break-space",
    title: "keeps U+FEFF in topics",
    v3: ["1.5.3-3"],
    v5: ["1.5.4-3"],
    run: async (lab) => {
      const { server } = await lab.session();
      const topic = concat(bytes(0xef, 0xbb, 0xbf), utf8("in"), bytes(0xef, 0xbb, 0xbf));
      server.send(wire.publish(lab.version, { topic }));
      await lab.received(1);
      checkEqual(lab.messages[0]?.topic, "\ufeffin\ufeff", "topic at the application");
    },
  }),
  clientRule({
    id: "receive/bytes-one-at-a-time",
    title: "reads packets that arrive in pieces, and several that arrive together",
    v3: ["7.1.2-1"],
    v5: ["4.2.0-1"],
    run: async (lab) => {
      const { server } = await lab.session();
      for (const byte of wire.publish(lab.version, { topic: "in", payload: "pieces" })) {
        server.send(Uint8Array.of(byte));
      }
      server.send(concat(...["a", "b"].map((payload) => wire.publish(lab.version, { topic: "in", payload }))));
      checkEqual(await lab.received(3), ["pieces", "a", "b"], "messages at the application");
    },
  }),
  clientRule({
    id: "subscribe/encoding",
    title: "sends SUBSCRIBE and UNSUBSCRIBE with flags 0010, an identifier and the filters as they were given",
    v3: ["3.8.1-1", "3.8.3-1", "3.8.3-3", "3.10.1-1", "3.10.3-1", "3.10.3-2", "2.2.2-1", "2.3.1-1"],
    v5: ["3.8.1-1", "3.8.3-1", "3.8.3-2", "3.10.1-1", "3.10.3-1", "3.10.3-2", "2.1.3-1", "2.2.1-3", "1.5.5-1"],
    run: async (lab) => {
      const { client, server } = await lab.session();
      const filter = `\u00fc/+/${"x".repeat(200)}/#`;
      const subscribed = client.subscribe(filter, 2);
      const subscribe = await server.take("SUBSCRIBE");
      checkEqual([subscribe.flags, subscribe.filters], [2, [filter]], "SUBSCRIBE");
      checkEqual((subscribe.options[0] ?? 0xff) & (lab.five ? 0xc3 : 0xff), 2, "options");
      check(subscribe.packetId > 0 && subscribe.shortestLength, "expected an identifier and the shortest length");
      server.send(wire.suback(lab.version, subscribe.packetId, [2]));
      await subscribed;
      const unsubscribed = client.unsubscribe(filter);
      const unsubscribe = await server.take("UNSUBSCRIBE");
      checkEqual([unsubscribe.flags, unsubscribe.filters], [2, [filter]], "UNSUBSCRIBE");
      server.send(wire.unsuback(lab.version, unsubscribe.packetId, [0]));
      await unsubscribed;
    },
  }),
  clientRule({
    id: "websocket/subprotocol",
    title: 'offers the subprotocol "mqtt" and sends binary frames',
    v3: ["6.0.0-3", "6.0.0-1"],
    v5: ["6.0.0-3", "6.0.0-1"],
    needs: ["websocket"],
    run: async (lab) => {
      const { server } = await lab.session();
      checkEqual(server.webSocket?.protocol, "mqtt", "subprotocol");
      server.sendText("0");
      await server.closes("text frame");
    },
  }),
  clientRule({
    id: "websocket/frames",
    title: "takes packets split over frames, and several packets in one frame",
    v3: ["6.0.0-2"],
    v5: ["6.0.0-2"],
    needs: ["websocket"],
    run: async (lab) => {
      const { server } = await lab.session();
      const [a, b, c] = ["a", "b", "c"].map((payload) => wire.publish(lab.version, { topic: "in", payload }));
      check(a !== undefined && b !== undefined && c !== undefined, "expected three packets");
      server.send(concat(a, b.subarray(0, 3)));
      server.send(b.subarray(3));
      server.send(c);
      checkEqual(await lab.received(3), ["a", "b", "c"], "messages at the application");
    },
  }),
].flat();
