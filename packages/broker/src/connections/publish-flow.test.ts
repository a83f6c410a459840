import type { ProtocolVersion, PublishPacket } from "@tidewire/codec";
import {
  NO_MATCHING_SUBSCRIBERS,
  NOT_AUTHORIZED,
  QOS_NOT_SUPPORTED,
  QUOTA_EXCEEDED,
  RETAIN_NOT_SUPPORTED,
  SUCCESS,
  TOPIC_NAME_INVALID,
} from "@tidewire/codec/codes";
import { describe, expect, it } from "vitest";
import { publishPacket } from "../../test/harness.ts";
import { clientNamed, partsOf } from "../../test/parts.ts";
import type { BrokerHooks } from "../hooks/index.ts";
import type { BrokerLimits } from "../limits.ts";
import type { Encodings, IncomingPublication } from "../messages/index.ts";
import type { ConnectedClient } from "./client.ts";
import { handlePublish } from "./publish-flow.ts";

const RECEIVED = new Uint8Array([0x30, 5, 0, 1, 116, 0, 120]);

describe("a publication", () => {
  it("is routed and acknowledged; MQTT 5 is told when nobody has it", () => {
    const { publish, routed, acknowledged, receivers, metrics } = setUp({});
    publish({ qos: 1, packetId: 7 });
    receivers.count = 0;
    publish({ qos: 2, packetId: 8 });
    publish({ qos: 0 });
    expect(routed.map(({ topic, publisher, publisherUser }) => [topic, publisher, publisherUser])).toEqual([
      ["t", "c", "ann"],
      ["t", "c", "ann"],
      ["t", "c", "ann"],
    ]);
    expect(acknowledged).toEqual([
      [7, SUCCESS],
      [8, NO_MATCHING_SUBSCRIBERS],
    ]);
    expect(metrics).toMatchObject({ publishReceived: 3, publishBytesReceived: 3, publishRefused: 0 });
  });

  it("tells 3.x nothing of receivers: it has no word for it", () => {
    const { publish, acknowledged, receivers } = setUp({ version: 4 });
    receivers.count = 0;
    publish({ qos: 1, packetId: 7 });
    expect(acknowledged).toEqual([[7, SUCCESS]]);
  });

  it("goes out as the bytes it came in, but for an alias, DUP, and what was decided later", async () => {
    const { publish, encodings } = setUp({});
    publish({ qos: 0 });
    publish({ qos: 1, packetId: 1, dup: true });
    publish({ qos: 0, properties: { topicAlias: 3, contentType: "x" } });
    const later = setUp({ hooks: { authorizePublish: () => Promise.resolve(true) } });
    later.publish({ qos: 0 });
    expect(later.routed).toEqual([]);
    await new Promise((resolve) => setImmediate(resolve));
    expect([...encodings, ...later.encodings].map(({ bytes }) => bytes === RECEIVED)).toEqual([
      true,
      false,
      false,
      false,
    ]);
  });

  it("has its alias on its own connection alone", () => {
    const { publish, routed } = setUp({});
    const properties = { topicAlias: 3, contentType: "x" };
    publish({ properties });
    expect(routed[0]?.properties).toEqual({ contentType: "x" });
    expect(properties.topicAlias).toBe(3);
  });
});

describe("what is refused", () => {
  it.each<[ProtocolVersion, 0 | 1 | 2, readonly unknown[], readonly unknown[]]>([
    [5, 0, [], []],
    [5, 1, [[7, NOT_AUTHORIZED]], []],
    [5, 2, [[7, NOT_AUTHORIZED]], []],
    [4, 0, [], []],
    [4, 1, [[7, SUCCESS]], []],
  ])("for lack of rights is answered to version %i, QoS %i, with %j", (version, qos, acks, ends) => {
    const { publish, routed, acknowledged, ended, metrics } = setUp({
      version,
      hooks: { authorizePublish: () => false },
    });
    publish({ qos, packetId: qos && 7 });
    expect([routed, acknowledged, ended]).toEqual([[], acks, ends]);
    expect(metrics.publishRefused).toBe(1);
  });

  it("because it cannot be kept is refused to MQTT 5, and ends a connection of 3.x, which sends it again", () => {
    const five = setUp({});
    five.receivers.count = -1;
    five.publish({ qos: 1, packetId: 7 });
    expect([five.acknowledged, five.ended]).toEqual([[[7, QUOTA_EXCEEDED]], []]);
    const four = setUp({ version: 4 });
    four.receivers.count = -1;
    four.publish({ qos: 1, packetId: 7 });
    expect([four.acknowledged, four.ended]).toEqual([[], [QUOTA_EXCEEDED]]);
    four.publish({ qos: 0 });
    expect(four.ended).toEqual([QUOTA_EXCEEDED]);
  });

  it("by the limits is never routed", () => {
    const { publish, routed, acknowledged, ended } = setUp({
      limits: { topicLevels: 2, maximumQoS: 1, retainAvailable: false },
    });
    publish({ topic: "a/b/c", qos: 1, packetId: 7 });
    publish({ topic: "$SYS/a", qos: 1, packetId: 8 });
    expect(acknowledged).toEqual([
      [7, TOPIC_NAME_INVALID],
      [8, NOT_AUTHORIZED],
    ]);
    publish({ qos: 2, packetId: 9 });
    publish({ retain: true });
    expect(ended).toEqual([QOS_NOT_SUPPORTED, RETAIN_NOT_SUPPORTED]);
    expect(routed).toEqual([]);
    publish({ qos: 1, packetId: 10 });
    expect(routed).toHaveLength(1);
  });
});

interface Options {
  readonly version?: ProtocolVersion;
  readonly hooks?: BrokerHooks;
  readonly limits?: Partial<BrokerLimits>;
}

/** A client whose publications end at the publisher, which says how many receivers there were. */
function setUp({ version = 5, ...options }: Options) {
  const { parts } = partsOf(options);
  const routed: IncomingPublication[] = [];
  const encodings: Encodings[] = [];
  const acknowledged: [packetId: number, reasonCode: number][] = [];
  const ended: number[] = [];
  const receivers = { count: 1 };
  parts.publisher.publish = (publication, encoded) => {
    routed.push(publication);
    encodings.push(encoded);
    return receivers.count;
  };
  const client = {
    info: clientNamed("c", { version, username: "ann" }),
    session: { clientId: "c" },
    link: { lastPacketBytes: () => RECEIVED },
    protocol: {
      version,
      acknowledge: (packetId: number, reasonCode: number) => acknowledged.push([packetId, reasonCode]),
    },
    disconnect: (reasonCode: number) => ended.push(reasonCode),
    wait: <Answer>(answer: Promise<Answer>, goOn: (answer: Answer) => void) => {
      void answer.then(goOn);
    },
    rest: () => expect.unreachable(),
  } as unknown as ConnectedClient;
  const publish = (changes: Partial<PublishPacket>): void =>
    handlePublish(parts, client, publishPacket("t", "x", changes));
  return { publish, routed, encodings, acknowledged, ended, receivers, metrics: parts.metrics };
}
