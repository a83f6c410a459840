import { check, checkEqual } from "../failure.ts";
import * as wire from "../wire/index.ts";
import { numberProperty, property, Type } from "../wire/index.ts";
import { type ClientCase, clientRule } from "./lab.ts";

const text = (payload: Uint8Array): string => new TextDecoder().decode(payload);

/** A client as sender (2.3.1, 3.3, 4.3, 4.4, 4.6). */
export const publishingCases: readonly ClientCase[] = [
  clientRule({
    id: "publish/qos-0",
    title: "publishes QoS 0 without identifier and DUP",
    v3: ["2.3.1-5", "3.3.1-2", "4.3.1-1", "3.3.2-1"],
    v5: ["2.2.1-2", "3.3.1-2", "4.3.1-1", "3.3.2-1", "3.3.4-6", "2.2.2-1"],
    run: async (lab) => {
      const { client, server } = await lab.session();
      lab.publish(client, 0, "zero");
      const packet = await server.take("PUBLISH");
      checkEqual(
        [packet.topic, packet.qos, packet.dup, text(packet.payload)],
        ["conformance/topic", 0, false, "zero"],
        "PUBLISH",
      );
      checkEqual(property(packet, "subscriptionIdentifier"), undefined, "Subscription Identifier");
    },
  }),
  clientRule({
    id: "publish/identifiers",
    title: "gives every exchange an identifier of its own, not 0",
    v3: ["2.3.1-1", "2.3.1-2", "4.3.2-1", "4.3.3-1"],
    v5: ["2.2.1-3", "4.3.2-1", "4.3.2-2", "4.3.3-1", "4.3.3-2"],
    run: async (lab) => {
      const { client, server } = await lab.session();
      for (let index = 0; index < 6; index += 1) {
        lab.publish(client, 1 + (index % 2), `${index}`);
      }
      lab.subscribe(client);
      const packets = [];
      for (let index = 0; index < 6; index += 1) {
        packets.push(await server.take("PUBLISH"));
      }
      packets.push(await server.take("SUBSCRIBE"));
      const ids = packets.map(({ packetId }) => packetId);
      check(
        new Set(ids).size === ids.length && !ids.includes(0),
        `expected different identifiers, got ${ids.join(" ")}`,
      );
      checkEqual(
        packets.map(({ dup }) => dup),
        packets.map(() => false),
        "DUP of first transmissions",
      );
    },
  }),
  clientRule({
    id: "publish/qos-2-exchange",
    title: "answers PUBREC with PUBREL and is done at PUBCOMP",
    v3: ["4.3.3-1", "3.6.1-1", "2.3.1-6"],
    v5: ["4.3.3-4", "4.3.3-5", "3.6.1-1", "3.6.2-1", "2.2.1-5"],
    run: async (lab) => {
      const { client, server } = await lab.session();
      const done = client.publish({ topic: "t", payload: new Uint8Array(1), qos: 2, retain: false });
      const { packetId } = await server.take("PUBLISH");
      server.send(wire.ack(Type.PUBREC, packetId));
      const pubrel = await server.take("PUBREL");
      checkEqual([pubrel.packetId, pubrel.flags, pubrel.reasonCode], [packetId, 2, 0], "PUBREL");
      server.send(wire.ack(Type.PUBCOMP, packetId));
      await done;
    },
  }),
  clientRule({
    id: "publish/pubrel-order",
    title: "sends its PUBRELs in the order of the PUBRECs",
    v3: ["4.6.0-4"],
    v5: ["4.6.0-4"],
    run: async (lab) => {
      const { client, server } = await lab.session();
      for (let index = 0; index < 3; index += 1) {
        lab.publish(client, 2, `${index}`);
      }
      const ids = [];
      for (let index = 0; index < 3; index += 1) {
        ids.push((await server.take("PUBLISH")).packetId);
      }
      const order = [ids[2], ids[0], ids[1]].map(Number);
      for (const id of order) {
        server.send(wire.ack(Type.PUBREC, id));
      }
      const found = [];
      for (let index = 0; index < 3; index += 1) {
        found.push((await server.take("PUBREL")).packetId);
      }
      checkEqual(found, order, "order of PUBRELs");
    },
  }),
  clientRule({
    id: "publish/redelivery",
    title: "sends unacknowledged messages again on return: same identifiers, DUP 1, in their order",
    v3: ["3.3.1-1", "4.4.0-1", "4.6.0-1", "2.3.1-3", "4.3.2-1"],
    v5: ["3.3.1-1", "4.4.0-1", "4.6.0-1", "4.3.2-3", "4.3.3-3"],
    run: async (lab) => {
      const { client, server } = await lab.session(lab.returning);
      for (const [index, qos] of [1, 2, 1].entries()) {
        lab.publish(client, qos, `${index}`);
      }
      const sent = [];
      for (let index = 0; index < 3; index += 1) {
        sent.push(await server.take("PUBLISH"));
      }
      server.drop();
      const { server: second } = await lab.serve({ sessionPresent: true });
      for (const first of sent) {
        const again = await second.take("PUBLISH");
        checkEqual(
          [again.packetId, again.dup, again.qos, text(again.payload)],
          [first.packetId, true, first.qos, text(first.payload)],
          "repeated PUBLISH",
        );
      }
    },
  }),
  clientRule({
    id: "publish/redelivery-of-pubrel",
    title: "sends PUBREL again on return, not the PUBLISH",
    v3: ["4.4.0-1", "4.3.3-1"],
    v5: ["4.4.0-1", "4.3.3-5", "4.3.3-6"],
    run: async (lab) => {
      const { client, server } = await lab.session(lab.returning);
      lab.publish(client, 2, "once");
      const { packetId } = await server.take("PUBLISH");
      server.send(wire.ack(Type.PUBREC, packetId));
      await server.take("PUBREL");
      server.drop();
      const { server: second } = await lab.serve({ sessionPresent: true });
      checkEqual((await second.take("PUBREL")).packetId, packetId, "identifier of the repeated PUBREL");
      await second.quiet("the PUBLISH after its PUBREL");
    },
  }),
  clientRule({
    id: "publish/not-repeated-while-connected",
    title: "does not repeat a message on the same connection",
    v5: ["4.4.0-1"],
    run: async (lab) => {
      const { client, server } = await lab.session();
      lab.publish(client, 1, "once");
      await server.take("PUBLISH");
      await server.quiet("the message again without a reconnection", ["PUBLISH"], 2_000);
    },
  }),
  clientRule({
    id: "publish/refused-is-settled",
    title: "takes a PUBACK or PUBREC with an error as the end of the exchange",
    v5: ["4.4.0-2"],
    run: async (lab) => {
      const { client, server } = await lab.session(lab.returning);
      lab.publish(client, 1, "refused");
      server.send(wire.ack(Type.PUBACK, (await server.take("PUBLISH")).packetId, 0x97));
      lab.publish(client, 2, "refused");
      server.send(wire.ack(Type.PUBREC, (await server.take("PUBLISH")).packetId, 0x97));
      await server.quiet("a PUBREL for a refused message", ["PUBREL"]);
      server.drop();
      const { server: second } = await lab.serve({ sessionPresent: true });
      await second.quiet("a refused message again", ["PUBLISH", "PUBREL"]);
    },
  }),
  clientRule({
    id: "publish/receive-maximum",
    title: "keeps to the server's Receive Maximum and goes on with other packets",
    v5: ["3.3.4-7", "3.3.4-8", "4.9.0-1", "4.9.0-2", "4.9.0-3"],
    run: async (lab) => {
      const { client, server } = await lab.session({}, { properties: [["receiveMaximum", 2]] });
      for (let index = 0; index < 5; index += 1) {
        lab.publish(client, 1 + (index % 2), `${index}`);
      }
      lab.publish(client, 0, "not counted");
      lab.subscribe(client);
      const held = [
        await server.take("PUBLISH", ({ qos }) => qos > 0),
        await server.take("PUBLISH", ({ qos }) => qos > 0),
      ];
      await server.take("SUBSCRIBE");
      await lab.wait(300);
      const sent = server.received.filter(({ type, qos }) => type === Type.PUBLISH && qos > 0).length;
      checkEqual(sent, 2, "unacknowledged messages");
      const found = held.map(({ payload }) => text(payload));
      for (const packet of held) {
        await server.acknowledge(packet);
      }
      while (found.length < 5) {
        found.push(text((await server.message(({ qos }) => qos > 0)).payload));
      }
      checkEqual(found, ["0", "1", "2", "3", "4"], "messages sent in all");
    },
  }),
  clientRule({
    id: "publish/maximum-qos",
    title: "sends nothing above the server's Maximum QoS",
    v5: ["3.2.2-11"],
    run: async (lab) => {
      const { client, server } = await lab.session({}, { properties: [["maximumQoS", 0]] });
      for (const qos of [1, 2, 0]) {
        lab.publish(client, qos, `${qos}`);
      }
      await server.take("PUBLISH", ({ payload }) => text(payload) === "0");
      await lab.wait(100);
      const above = server.received.filter(({ type, qos }) => type === Type.PUBLISH && qos > 0).length;
      checkEqual(above, 0, "messages above the Maximum QoS");
    },
  }),
  clientRule({
    id: "publish/retain-not-available",
    title: "sends no RETAIN after Retain Available 0",
    v5: ["3.2.2-14"],
    run: async (lab) => {
      const { client, server } = await lab.session({}, { properties: [["retainAvailable", 0]] });
      client.publish({ topic: "t", payload: new Uint8Array(1), qos: 0, retain: true }).catch(() => undefined);
      lab.publish(client, 0, "last");
      await server.take("PUBLISH", ({ payload }) => text(payload) === "last");
      checkEqual(server.received.filter(({ retain }) => retain).length, 0, "messages with RETAIN");
    },
  }),
  clientRule({
    id: "publish/maximum-packet-size",
    title: "sends no packet above the server's Maximum Packet Size",
    v5: ["3.2.2-15", "3.4.2-2", "3.4.2-3", "3.5.2-2", "3.5.2-3", "3.6.2-2", "3.6.2-3", "3.7.2-2", "3.7.2-3"],
    run: async (lab) => {
      const { client, server } = await lab.session({}, { properties: [["maximumPacketSize", 60]] });
      for (const qos of [0, 1, 2]) {
        lab.publish(client, qos, "x".repeat(100));
      }
      lab.publish(client, 2, "small");
      await server.message(({ payload }) => text(payload) === "small");
      server.send(wire.publish("5.0", { topic: "in", qos: 1, packetId: 1 }));
      await server.take("PUBACK");
      server.send(wire.publish("5.0", { topic: "in", qos: 2, packetId: 2 }));
      await server.take("PUBREC");
      server.send(wire.ack(Type.PUBREL, 2));
      await server.take("PUBCOMP");
      const largest = Math.max(...server.received.slice(1).map(({ bytes }) => bytes.length));
      check(largest <= 60, `expected no packet above 60 bytes, got ${largest}`);
    },
  }),
  clientRule({
    id: "publish/small-disconnect",
    title: "keeps AUTH and DISCONNECT within the server's Maximum Packet Size",
    v5: ["3.14.2-3", "3.14.2-4", "3.15.2-2", "3.15.2-3"],
    run: async (lab) => {
      const { server } = await lab.session({}, { properties: [["maximumPacketSize", 20]] });
      server.send(wire.packet(0x00));
      await server.closes("reserved packet type");
      for (const { bytes } of server.received.slice(1)) {
        check(bytes.length <= 20, "expected at most 20 bytes");
      }
    },
  }),
  clientRule({
    id: "publish/topic-alias",
    title: "uses no Topic Alias above the server's maximum, and none where none is allowed",
    v5: ["3.2.2-17", "3.2.2-18", "3.3.2-8", "3.3.2-9"],
    run: async (lab) => {
      for (const maximum of [0, 2]) {
        const { client, server } = await lab.session(
          { clientId: `alias${maximum}` },
          { properties: maximum === 0 ? [] : [["topicAliasMaximum", maximum]] },
        );
        const known = new Map<number, string>();
        for (let index = 0; index < 9; index += 1) {
          lab.publish(client, 0, `${index}`, `topic/${index % 3}`);
        }
        for (let index = 0; index < 9; index += 1) {
          const packet = await server.take("PUBLISH");
          const alias = numberProperty(packet, "topicAlias", -1);
          check(
            alias === -1 || (alias >= 1 && alias <= maximum),
            `expected a Topic Alias up to ${maximum}, got ${alias}`,
          );
          if (packet.topic !== "") {
            known.set(alias, packet.topic);
          }
          checkEqual(packet.topic || known.get(alias), `topic/${index % 3}`, "topic, by name or alias");
        }
      }
    },
  }),
  clientRule({
    id: "publish/topic-alias-per-connection",
    title: "does not rely on Topic Aliases of an earlier connection",
    v5: ["3.3.2-7"],
    run: async (lab) => {
      const connack = { properties: [["topicAliasMaximum", 5]] as const };
      const { client, server } = await lab.session(lab.returning, connack);
      for (const payload of ["0", "1"]) {
        lab.publish(client, 1, payload);
      }
      for (let index = 0; index < 2; index += 1) {
        await server.message();
      }
      lab.publish(client, 1, "unacknowledged");
      await server.take("PUBLISH");
      server.drop();
      const { server: second } = await lab.serve({ ...connack, sessionPresent: true });
      checkEqual((await second.take("PUBLISH")).topic, "conformance/topic", "topic of the repeated PUBLISH");
    },
  }),
].flat();
