import { check, checkEqual } from "../failure.ts";
import * as wire from "../wire/index.ts";
import { property, Type, utf8 } from "../wire/index.ts";
import { type ClientCase, clientRule } from "./lab.ts";

const CLEAN = 0x02;

/** How a client connects, keeps the connection alive and ends it (3.1, 3.2, 3.12, 3.14). */
export const connectingCases: readonly ClientCase[] = [
  clientRule({
    id: "connect/plain",
    title: "begins with a CONNECT that has no more than it needs",
    v3: ["3.1.0-1", "3.1.2-11", "3.1.2-13", "3.1.2-15", "3.1.2-18", "3.1.2-20", "3.1.3-3", "3.1.3-4", "7.1.2-1"],
    v5: ["3.1.0-1", "3.1.2-1", "3.1.2-11", "3.1.2-13", "3.1.2-16", "3.1.2-18", "3.1.3-3", "3.1.3-4", "4.2.0-1"],
    run: async (lab) => {
      const { connect } = await lab.session({ clientId: "plain" });
      checkEqual(connect.connect?.protocolName, "MQTT", "protocol name");
      checkEqual(connect.connect?.protocolLevel, lab.five ? 5 : 4, "protocol level");
      checkEqual([connect.connect?.flags, connect.connect?.clientId], [CLEAN, "plain"], "connect flags and client id");
    },
  }),
  clientRule({
    id: "connect/all-fields",
    title: "sends client id, will, user name and password in this order, as the flags say",
    v3: ["3.1.2-9", "3.1.2-14", "3.1.2-19", "3.1.2-21", "3.1.2-22", "3.1.3-1", "3.1.3-10", "3.1.3-11"],
    v5: ["3.1.2-9", "3.1.2-12", "3.1.2-17", "3.1.2-19", "3.1.3-1", "3.1.3-11", "3.1.3-12"],
    run: async (lab) => {
      const { connect } = await lab.session({
        clientId: "all",
        will: { topic: "will/\u00e4", payload: utf8("gone"), qos: 2, retain: true },
        username: "us\u00e9r",
        password: "secret",
      });
      const fields = connect.connect;
      checkEqual(fields?.flags, 0x80 | 0x40 | 0x20 | 0x10 | 0x04 | CLEAN, "connect flags");
      checkEqual(
        [fields?.clientId, fields?.willTopic, fields?.willPayload, fields?.username, fields?.password],
        ["all", "will/\u00e4", utf8("gone"), "us\u00e9r", utf8("secret")],
        "payload fields",
      );
    },
  }),
  clientRule({
    id: "connect/empty-client-id",
    title: "asks for a clean session when it has no client id",
    v3: ["3.1.3-7"],
    run: async (lab) => {
      const { connect } = await lab.session({ clientId: "", clean: true });
      const { clientId = "", flags = 0 } = connect.connect ?? {};
      check(clientId !== "" || (flags & CLEAN) !== 0, "expected Clean Session 1 with an empty client id");
    },
  }),
  clientRule({
    id: "connect/keep-alive",
    title: "sends something within the Keep Alive, PINGREQ if there is nothing else",
    v3: ["3.1.2-23"],
    v5: ["3.1.2-20"],
    run: async (lab) => {
      const { server, connect } = await lab.session({ keepAlive: 2 });
      checkEqual(connect.connect?.keepAlive, 2, "Keep Alive in CONNECT");
      for (let round = 0; round < 2; round += 1) {
        const before = performance.now();
        await server.next("PINGREQ");
        const waited = performance.now() - before;
        // 1.5 times is where a server gives up; what is late before that may be the machine, not the client.
        check(waited < 3_000, `expected PINGREQ within two seconds, it took ${Math.round(waited)} ms`);
        server.send(wire.pingresp());
      }
    },
  }),
  clientRule({
    id: "connect/server-keep-alive",
    title: "uses the Server Keep Alive instead of its own",
    v5: ["3.1.2-21", "3.2.2-21"],
    run: async (lab) => {
      const { server } = await lab.session({ keepAlive: 60 }, { properties: [["serverKeepAlive", 2]] });
      const before = performance.now();
      await server.next("PINGREQ");
      check(performance.now() - before < 3_000, "expected PINGREQ within the Server Keep Alive of two seconds");
    },
  }),
  clientRule({
    id: "connect/session-present-without-state",
    title: "closes when the server has a session that it knows nothing of",
    v5: ["3.2.2-4"],
    run: async (lab) => {
      await lab.client({ clean: true });
      const { server } = await lab.serve({ sessionPresent: true });
      await server.closes("Session Present 1 without session state in the client");
    },
  }),
  clientRule({
    id: "connect/session-lost",
    title: "discards its session state when the server has none",
    v3: ["3.1.2-6"],
    v5: ["3.2.2-5", "3.1.2-4"],
    run: async (lab) => {
      const { client, server } = await lab.session(lab.returning);
      lab.publish(client, 2, "released");
      const { packetId } = await server.take("PUBLISH");
      server.send(wire.ack(Type.PUBREC, packetId));
      await server.take("PUBREL");
      server.send(wire.publish(lab.version, { topic: "in", payload: "before", qos: 2, packetId: 5 }));
      await server.take("PUBREC");
      server.drop();
      const { server: second } = await lab.serve({ sessionPresent: false });
      await second.quiet("a PUBREL of a session that is gone", ["PUBREL"]);
      second.send(wire.publish(lab.version, { topic: "in", payload: "after", qos: 2, packetId: 5 }));
      await second.take("PUBREC");
      second.send(wire.ack(Type.PUBREL, 5));
      await second.take("PUBCOMP");
      check((await lab.received(1)).includes("after"), "expected the message under an identifier of the old session");
    },
  }),
  clientRule({
    id: "connect/session-kept",
    title: "keeps its session over a lost connection and asks for it again",
    v3: ["3.1.2-4", "4.1.0-1", "3.1.3-2"],
    v5: ["3.1.2-23", "4.1.0-1", "3.1.3-2"],
    run: async (lab) => {
      const { server, connect } = await lab.session({ ...lab.returning, clientId: "kept" });
      server.send(wire.publish(lab.version, { topic: "in", payload: "once", qos: 2, packetId: 5 }));
      await server.take("PUBREC");
      server.drop();
      const again = await lab.serve({ sessionPresent: true });
      checkEqual((again.connect.connect?.flags ?? CLEAN) & CLEAN, 0, "Clean Start on return");
      checkEqual(again.connect.connect?.clientId, connect.connect?.clientId, "client id on return");
      again.server.send(wire.publish(lab.version, { topic: "in", payload: "once", qos: 2, packetId: 5, dup: true }));
      await again.server.take("PUBREC");
      again.server.send(wire.ack(Type.PUBREL, 5));
      await again.server.take("PUBCOMP");
      await lab.wait(50);
      checkEqual(await lab.received(1), ["once"], "messages at the application");
    },
  }),
  clientRule({
    id: "connect/refused",
    title: "sends nothing on a connection that the server refused",
    v3: ["3.1.0-1"],
    v5: ["4.13.2-1", "3.1.0-1"],
    run: async (lab) => {
      const client = await lab.client();
      const server = await lab.accept();
      await server.next("CONNECT");
      lab.publish(client, 1, "must not go out");
      server.send(wire.connack(lab.version, lab.five ? 0x87 : 5));
      await server.closes("CONNACK with an error");
      checkEqual(server.received.length, 1, "packets received beside CONNECT");
    },
  }),
  clientRule({
    id: "connect/disconnect",
    title: "sends DISCONNECT as its last packet and closes",
    v3: ["3.14.4-1", "3.14.4-2"],
    v5: ["3.14.4-1", "3.14.4-2", "3.14.2-1"],
    run: async (lab) => {
      const { client, server } = await lab.session();
      const done = client.disconnect();
      const disconnect = await server.take("DISCONNECT");
      checkEqual([disconnect.flags, disconnect.reasonCode], [0, 0], "flags and reason code");
      server.send(wire.publish(lab.version, { topic: "late", qos: 1, packetId: 1 }));
      await server.closes("the client sent DISCONNECT");
      await done;
      checkEqual(server.received.at(-1)?.type, Type.DISCONNECT, "type of the client's last packet");
    },
  }),
  clientRule({
    id: "connect/server-disconnect",
    title: "closes when the server sends DISCONNECT",
    v5: ["4.13.2-1"],
    run: async (lab) => {
      const { server } = await lab.session();
      server.send(wire.disconnect(0x8b));
      await server.closes("the server sent DISCONNECT");
    },
  }),
  clientRule({
    id: "connect/authentication",
    title: "answers AUTH with AUTH 0x18 under the same method, and sends nothing else before CONNACK",
    v5: ["4.12.0-3", "4.12.0-5", "3.1.2-30", "3.15.1-1", "3.15.2-1"],
    needs: ["authentication"],
    run: async (lab) => {
      const client = await lab.client({
        authentication: {
          method: "conformance",
          answer: (challenge) => utf8(`re: ${new TextDecoder().decode(challenge)}`),
        },
      });
      const server = await lab.accept();
      const connect = await server.next("CONNECT");
      checkEqual(property(connect, "authenticationMethod"), "conformance", "Authentication Method in CONNECT");
      lab.publish(client, 1, "must wait");
      await lab.wait(100);
      server.send(
        wire.auth(0x18, [
          ["authenticationMethod", "conformance"],
          ["authenticationData", "challenge"],
        ]),
      );
      const auth = await server.next("AUTH");
      checkEqual([auth.reasonCode, auth.flags], [0x18, 0], "reason code and flags of AUTH");
      checkEqual(property(auth, "authenticationMethod"), "conformance", "Authentication Method in AUTH");
      checkEqual(property(auth, "authenticationData"), utf8("re: challenge"), "Authentication Data");
      server.send(wire.connack("5.0", 0, false, [["authenticationMethod", "conformance"]]));
      await server.next("PUBLISH");
    },
  }),
  clientRule({
    id: "connect/authentication-again",
    title: "begins re-authentication with AUTH 0x19 under the method of CONNECT, and closes when it fails",
    v5: ["4.12.1-1", "4.12.0-5", "4.12.1-2"],
    needs: ["authentication", "reauthenticate"],
    run: async (lab) => {
      const { client, server } = await lab.session(
        { authentication: { method: "conformance", answer: () => utf8("answer") } },
        { properties: [["authenticationMethod", "conformance"]] },
      );
      const done = client.reauthenticate?.().catch(() => undefined);
      const auth = await server.take("AUTH");
      checkEqual([auth.reasonCode, property(auth, "authenticationMethod")], [0x19, "conformance"], "AUTH");
      server.send(wire.disconnect(0x87));
      await server.closes("re-authentication failed");
      await done;
    },
  }),
  clientRule({
    id: "connect/no-authentication",
    title: "sends no AUTH when its CONNECT had no method, and closes when the server does",
    v5: ["4.12.0-7", "4.13.1-1"],
    run: async (lab) => {
      const { server } = await lab.session();
      server.send(wire.auth(0x18, [["authenticationMethod", "conformance"]]));
      await server.closes("AUTH without a method in CONNECT");
      check(!server.received.some(({ type }) => type === Type.AUTH), "expected no AUTH");
    },
  }),
].flat();
