import { describe, expect, test } from "vitest";
import type { RawConnection, RawHandler } from "./connection.ts";
import { Peer } from "./peer.ts";
import * as wire from "./wire/index.ts";
import { decodePacket, Transcript, Type } from "./wire/index.ts";

/** The other side of a connection, by hand. */
class FakeConnection implements RawConnection {
  readonly sent: Uint8Array[] = [];
  handler: RawHandler = { onData: () => {}, onClose: () => {} };
  ended = false;

  start(handler: RawHandler): void {
    this.handler = handler;
  }

  send(bytes: Uint8Array): void {
    this.sent.push(bytes);
  }

  close(): void {
    this.ended = true;
  }
}

function open(): { peer: Peer; other: FakeConnection; transcript: Transcript } {
  const other = new FakeConnection();
  const transcript = new Transcript();
  const peer = new Peer(other, { version: "5.0", label: "peer", transcript, answerTimeoutMs: 60, quietMs: 20 });
  return { peer, other, transcript };
}

describe("Peer", () => {
  test("takes a packet of a type past others, which stay", async () => {
    const { peer, other } = open();
    other.handler.onData(wire.publish("5.0", { topic: "t" }));
    other.handler.onData(wire.pingresp());
    expect((await peer.take("PINGRESP")).type).toBe(Type.PINGRESP);
    expect((await peer.next("PUBLISH")).topic).toBe("t");
  });

  test("requires the next packet to be of the type where order is the point", async () => {
    const { peer, other } = open();
    other.handler.onData(wire.pingresp());
    await expect(peer.next("CONNACK")).rejects.toThrow("expected CONNACK, got PINGRESP");
  });

  test("waits for what has not come yet, for two at once too", async () => {
    const { peer, other } = open();
    const both = Promise.all([peer.take("PUBACK"), peer.take("PUBREC")]);
    setTimeout(() => other.handler.onData(wire.ack(Type.PUBREC, 2)), 5);
    setTimeout(() => other.handler.onData(wire.ack(Type.PUBACK, 1)), 10);
    expect((await both).map(({ packetId }) => packetId)).toEqual([1, 2]);
  });

  test("fails when nothing comes, when the connection closes, and on a malformed packet", async () => {
    const first = open();
    await expect(first.peer.take("PUBACK")).rejects.toThrow("nothing such came in time");
    const second = open();
    setTimeout(() => second.other.handler.onClose(), 5);
    await expect(second.peer.take("PUBACK")).rejects.toThrow("the connection was closed");
    const third = open();
    third.other.handler.onData(Uint8Array.of(0x40, 0x01, 0x00));
    await expect(third.peer.take("PUBACK")).rejects.toThrow("well-formed");
  });

  test("closes means closed by the other side; quiet means that nothing of the kind came", async () => {
    const { peer, other } = open();
    await expect(peer.closes("a reason")).rejects.toThrow("expected the connection to be closed: a reason");
    await peer.quiet("a message");
    other.handler.onData(wire.publish("5.0", { topic: "late" }));
    await expect(peer.quiet("a message")).rejects.toThrow('a message: got PUBLISH "late"');
    other.handler.onClose();
    await peer.closes("a reason");
  });

  test("goes through a QoS 2 exchange as sender and as receiver", async () => {
    const { peer, other } = open();
    const published = peer.publish({ topic: "t", qos: 2 });
    other.handler.onData(wire.ack(Type.PUBREC, 1));
    setTimeout(() => other.handler.onData(wire.ack(Type.PUBCOMP, 1)), 5);
    await published;
    other.handler.onData(wire.publish("5.0", { topic: "in", qos: 2, packetId: 9 }));
    const message = peer.message();
    setTimeout(() => other.handler.onData(wire.ack(Type.PUBREL, 9)), 5);
    await message;
    const types = other.sent.map((bytes) => decodePacket(bytes, "5.0").type);
    expect(types).toEqual([Type.PUBLISH, Type.PUBREL, Type.PUBREC, Type.PUBCOMP]);
  });

  test("drops a connection whose bytes cannot be MQTT", async () => {
    const { peer, other, transcript } = open();
    other.handler.onData(Uint8Array.of(0x30, 0xff, 0xff, 0xff, 0xff, 0xff));
    expect(peer.closed).toBe(true);
    expect(other.ended).toBe(true);
    expect(transcript.toString()).toContain("not MQTT");
  });
});
