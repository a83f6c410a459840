import type { ProtocolVersion, QoS } from "@tidewire/codec";
import { describe, expect, it, test } from "vitest";
import type { QueueEntry } from "../storage/index.ts";
import { Delivery, type DeliveryReceiver, grantedQoS } from "./delivery.ts";
import { IncomingPublication } from "./publication.ts";

class Receiver implements DeliveryReceiver {
  version: ProtocolVersion = 5;
  maybeSentBelow: number | undefined = undefined;
  now = 0;

  nowMs(): number {
    return this.now;
  }
}

describe("properties", () => {
  it("are those of the moment at which they are asked for", () => {
    const receiver = new Receiver();
    const delivery = deliveryTo(receiver, { identifiers: [2] });
    expect(delivery.properties).toEqual({ messageExpiryInterval: 10, subscriptionIdentifiers: [2] });
    receiver.now = 4000;
    expect(delivery.properties).toEqual({ messageExpiryInterval: 6, subscriptionIdentifiers: [2] });
  });

  it("are none where the client came back with 3.x", () => {
    const receiver = new Receiver();
    const delivery = deliveryTo(receiver, { identifiers: [2] });
    receiver.version = 4;
    expect(delivery.properties).toBeUndefined();
  });
});

describe("maybeSent", () => {
  it("is for QoS 1 below the mark alone", () => {
    const receiver = new Receiver();
    expect(deliveryTo(receiver, { sequence: 4 }).maybeSent).toBe(false);
    receiver.maybeSentBelow = 5;
    expect(deliveryTo(receiver, { sequence: 4 }).maybeSent).toBe(true);
    expect(deliveryTo(receiver, { sequence: 5 }).maybeSent).toBe(false);
    expect(deliveryTo(receiver, { sequence: 4, qos: 2 }).maybeSent).toBe(false);
    expect(deliveryTo(receiver, { sequence: 4, qos: 0 }).maybeSent).toBe(false);
  });
});

describe("from", () => {
  it("takes a delivery of this receiver as it is", () => {
    const receiver = new Receiver();
    const delivery = deliveryTo(receiver, {});
    expect(Delivery.from(delivery, receiver)).toBe(delivery);
    const other = new Receiver();
    expect(Delivery.from(delivery, other)).not.toBe(delivery);
    expect(Delivery.from(delivery, other).receiver).toBe(other);
  });

  it("makes one of a store's own object, with everything it has", () => {
    const receiver = new Receiver();
    const { publication } = deliveryTo(receiver, {});
    const entry: QueueEntry = {
      sequence: 9,
      publication,
      qos: 2,
      retain: true,
      subscriptionIdentifiers: [1],
      sharedFilter: "$share/g/t",
    };
    const delivery = Delivery.from(entry, receiver);
    expect(delivery).toBeInstanceOf(Delivery);
    expect(delivery).toMatchObject(entry);
    expect(delivery).toMatchObject({ topic: "t", payload: publication.payload, entry: delivery });
  });
});

test("nobody gets more than was published, or than was granted", () => {
  const granted = [0, 1, 2].map((published) => [0, 1, 2].map((most) => grantedQoS(published as QoS, most as QoS)));
  expect(granted).toEqual([
    [0, 0, 0],
    [0, 1, 1],
    [0, 1, 2],
  ]);
});

function deliveryTo(
  receiver: Receiver,
  { sequence = 1, qos = 1, identifiers }: { sequence?: number; qos?: QoS; identifiers?: readonly number[] },
): Delivery {
  const payload = new Uint8Array([1]);
  const publication = new IncomingPublication("t", payload, 2, false, { messageExpiryInterval: 10 }, undefined, 0);
  return new Delivery(receiver, sequence, publication, qos, false, identifiers, undefined);
}
