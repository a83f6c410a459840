import {
  type ConnectPacket,
  MqttError,
  type Packet,
  type PacketType,
  type Properties,
  type QoS,
} from "@tidewire/codec";
import { createInflight } from "@tidewire/session";
import { Random } from "@tidewire/transport-mock";
import { expect, test } from "vitest";
import { forged } from "./packets.ts";
import { connectPacket, endOf, message, Pair, publishPacket } from "./pair.ts";

const SEEDS = 3000;

test(`whatever packets come, in whatever order, a session throws nothing and ends at most once (${SEEDS} seeds)`, () => {
  const ends: Record<string, number> = {};
  for (let seed = 1; seed <= SEEDS; seed += 1) {
    try {
      for (const end of play(new Random(seed))) {
        ends[end] = (ends[end] ?? 0) + 1;
      }
    } catch (error) {
      throw new Error(`seed ${seed}`, { cause: error });
    }
  }
  // It went further than the first packet, and into every kind of end that a peer can bring about.
  expect(Object.keys(ends).sort()).toEqual(["none", "remote", "violation"]);
});

test("an Inflight comes from createInflight", () => {
  expect(() => new Pair({ clientInflight: { ...createInflight() } as never })).toThrow(
    expect.objectContaining({ code: "inflight-foreign" }),
  );
});

/** A connected pair, into which packets are thrown that nobody sent. Returns how both ended. */
function play(random: Random): string[] {
  const version = pick(random, [3, 4, 5] as const);
  const connect: Partial<ConnectPacket> = { version, cleanStart: random.integer(0, 1) === 0 };
  const pair = new Pair({
    connect,
    acknowledge: random.integer(0, 1) === 0,
    ...(version === 5 && { accept: { properties: limits(random) } }),
  }).connect();
  for (let step = 0; step < 25; step += 1) {
    for (const session of [pair.client, pair.server]) {
      if (session.sendQuota > 0) {
        session.publish(message("t", "x", random.integer(0, 1) as QoS), step);
      }
      if (session.sendQuota > 0 && random.integer(0, 2) === 0) {
        attempt(() => session.publish(message("t", "x", 2), step));
      }
    }
    const packet = draw(random, version);
    if (random.integer(0, 1) === 0) {
      pair.forgeToClient(packet);
    } else {
      pair.forgeToServer(packet);
    }
    if (random.integer(0, 2) === 0) {
      pair.toServer();
      pair.toClient();
    }
  }
  return [[pair.client, pair.clientEvents] as const, [pair.server, pair.serverEvents] as const].map(
    ([session, events]) => (session.end === undefined ? "none" : endOf(events).kind),
  );
}

function limits(random: Random): Properties {
  return { receiveMaximum: random.integer(1, 20), topicAliasMaximum: random.integer(0, 3), maximumQoS: 1 };
}

function draw(random: Random, version: 3 | 4 | 5): Packet {
  // Mostly what keeps the session going.
  const type = pick(random, [1, 2, 3, 3, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 9, 10, 11, 12, 13, 14, 15] as const);
  const packetId = random.integer(1, 6);
  if (type === 1) {
    return connectPacket({ version });
  }
  if (type === 3) {
    const qos = random.integer(0, 2) as QoS;
    const alias = version === 5 && random.integer(0, 3) === 0;
    return publishPacket({
      qos,
      packetId: qos === 0 ? 0 : packetId,
      dup: qos > 0 && random.integer(0, 1) === 0,
      properties: alias ? { topicAlias: random.integer(1, 4) } : undefined,
    });
  }
  const packet = forged(type as PacketType);
  const reasonCode = version === 5 ? pick(random, [0, 0x10, 0x80, 0x92, 0x97]) : 0;
  if (type >= 4 && type <= 7) {
    return { ...packet, packetId, reasonCode } as Packet;
  }
  return "packetId" in packet ? { ...packet, packetId } : packet;
}

/** QoS 2 may be above the peer's maximum. */
function attempt(action: () => void): void {
  try {
    action();
  } catch (error) {
    if (error instanceof MqttError) {
      throw error;
    }
  }
}

function pick<T>(random: Random, from: readonly T[]): T {
  return from[random.integer(0, from.length - 1)] as T;
}
