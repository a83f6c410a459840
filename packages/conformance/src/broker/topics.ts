import { checkEqual } from "../failure.ts";
import * as wire from "../wire/index.ts";
import { bytes, concat, utf8 } from "../wire/index.ts";
import { type BrokerCase, rule } from "./define.ts";
import type { Lab } from "./lab.ts";
import { text } from "./messages.ts";

/** What a filter matches, relative to the case's own topic: filter, topics that match, topics that do not. */
const MATCHING: readonly (readonly [filter: string, yes: readonly string[], no: readonly string[]])[] = [
  ["a/b", ["a/b"], ["a/b/c", "a", "A/b", "a/B", "a/b/"]],
  ["a/#", ["a", "a/", "a/b", "a/b/c"], ["ab", "b/a"]],
  ["a/+", ["a/b", "a/"], ["a", "a/b/c"]],
  ["+/b", ["a/b", "/b"], ["b", "a/a/b"]],
  ["a/+/c", ["a/b/c", "a//c"], ["a/c", "a/b/b/c"]],
  ["+/+", ["a/b", "/"], ["a", "a/b/c"]],
  ["/", ["/"], ["", "a", "//"]],
  ["+/#", ["a", "a/b/c", "/"], []],
];

/** Topic names and filters (4.7). */
export const topicCases: readonly BrokerCase[] = [
  ...MATCHING.flatMap(([filter, yes, no]) =>
    rule({
      id: `topics/match-${slug(filter)}`,
      title: `matches "${filter}" with ${yes.join(" ")}${no.length === 0 ? "" : ` and not with ${no.join(" ")}`}`,
      v3: ["3.3.2-3", "4.7.1-2", "4.7.1-3"],
      v5: ["3.3.2-3", "4.7.1-1", "4.7.1-2"],
      run: (lab) => matches(lab, filter, yes, no),
    }),
  ),
  ...[
    rule({
      id: "topics/dollar",
      title: "does not match a topic that starts with $ by a filter that starts with a wildcard",
      v3: ["4.7.2-1"],
      v5: ["4.7.2-1"],
      needs: ["dollar-topics"],
      run: async (lab) => {
        const own = lab.clientId();
        const subscriber = await lab.connect({ label: "subscriber" });
        await subscriber.subscribeAll([
          [`+/${own}`, 1],
          [`+/${own}/#`, 1],
          [`$${own}/#`, 1],
        ]);
        const publisher = await lab.connect({ label: "publisher" });
        await publisher.publish({ topic: `$${own}/${own}`, qos: 1 });
        checkEqual((await subscriber.message()).topic, `$${own}/${own}`, "topic by the filter that names it");
        await subscriber.quiet("a second delivery through +");
      },
    }),
    rule({
      id: "topics/system-tree",
      title: "does not send $SYS topics to a subscription of #",
      v3: ["4.7.2-1"],
      v5: ["4.7.2-1"],
      run: async (lab) => {
        const subscriber = await lab.connect({ label: "subscriber" });
        await subscriber.subscribeAll([
          ["#", 0],
          ["+/broker/#", 0],
        ]);
        const publisher = await lab.connect({ label: "publisher" });
        publisher.send(wire.publish(lab.version, { topic: `$${lab.clientId()}` }));
        await lab.wait(lab.quietMs);
        const wrong = subscriber.received.filter(({ topic }) => topic.startsWith("$"));
        checkEqual(wrong.map(({ topic }) => topic).slice(0, 3), [], "topics with $ through a wildcard");
      },
    }),
    rule({
      id: "topics/no-normalization",
      title: "compares topics code point by code point, without normalization",
      v3: ["4.7.3-4"],
      v5: ["4.7.3-4"],
      run: (lab) => matches(lab, "\u00e9", ["\u00e9"], ["e\u0301", "\u00c9", "e"]),
    }),
    rule({
      id: "topics/beyond-bmp",
      title: "delivers topics of all planes unchanged",
      v3: ["4.7.3-4"],
      v5: ["4.7.3-4"],
      run: (lab) =>
        matches(lab, "\u{1f980}/\u4e16\u754c/+", ["\u{1f980}/\u4e16\u754c/\u{10fffd}x"], ["\u{1f981}/\u4e16\u754c/a"]),
    }),
    rule({
      id: "topics/zero-width-no-break-space",
      title: "keeps U+FEFF wherever it stands",
      v3: ["1.5.3-3"],
      v5: ["1.5.4-3"],
      run: async (lab) => {
        const mark = bytes(0xef, 0xbb, 0xbf);
        const base = lab.topic();
        const filters = [concat(utf8(`${base}/`), mark, utf8("a")), concat(utf8(`${base}/b`), mark)];
        const subscriber = await lab.connect({ label: "subscriber" });
        await subscriber.subscribeAll(filters.map((filter): wire.Subscription => [filter, 1]));
        const publisher = await lab.connect({ label: "publisher" });
        for (const topic of [`${base}/a`, `${base}/b`]) {
          await publisher.publish({ topic, qos: 1, payload: "without" });
        }
        for (const topic of filters) {
          await publisher.publish({ topic, qos: 1, payload: "with" });
          const message = await subscriber.message();
          checkEqual(
            [message.topic, text(message)],
            [new TextDecoder("utf-8", { ignoreBOM: true }).decode(topic), "with"],
            "topic",
          );
        }
      },
    }),
    rule({
      id: "topics/very-long",
      title: "carries a topic of 65,535 bytes, or refuses it",
      v3: ["4.7.3-3"],
      v5: ["4.7.3-3"],
      run: async (lab) => {
        const topic = lab.topic().padEnd(65_535, "t");
        const peer = await lab.connect();
        peer.send(wire.subscribe(lab.version, 1, [[topic, 1]]));
        const suback = await peer.take("SUBACK").catch(() => undefined);
        if (suback === undefined) {
          return await peer.closes("a filter longer than it accepts");
        }
        if ((suback.reasonCodes[0] ?? 0) >= 0x80) {
          return;
        }
        await peer.publish({ topic, qos: 1, payload: "far" });
        const message = await peer.message();
        checkEqual([message.topic.length, message.topic === topic], [65_535, true], "topic");
      },
    }),
  ].flat(),
];

/** Publishes all topics and requires the matching ones, in order, and no other. */
async function matches(lab: Lab, filter: string, yes: readonly string[], no: readonly string[]): Promise<void> {
  const base = lab.topic();
  const { subscriber, publisher } = await lab.pair(`${base}/${filter}`, 1);
  for (const topic of [...no, ...yes]) {
    await publisher.publish({ topic: `${base}/${topic}`, qos: 1 });
  }
  for (const topic of yes) {
    checkEqual((await subscriber.message()).topic, `${base}/${topic}`, "topic");
  }
  await subscriber.quiet(`a topic that ${filter} does not match`);
}

function slug(filter: string): string {
  return filter.replaceAll("#", "hash").replaceAll("+", "plus").replaceAll("/", "-");
}
