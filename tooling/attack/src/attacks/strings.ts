import { PacketType } from "@tidewire/codec";
import {
  MALFORMED_PACKET,
  NOT_AUTHORIZED,
  PROTOCOL_ERROR,
  QUOTA_EXCEEDED,
  TOPIC_FILTER_INVALID,
  TOPIC_NAME_INVALID,
} from "@tidewire/codec/codes";
import type { Attack } from "../attack.ts";
import { connect, hex, publish, string, subscribe } from "../bytes.ts";
import { codeText, each, endsConnection, refusedFirst } from "../cases.ts";
import { ONE_TRANSPORT } from "../variant.ts";

/** Byte sequences that are no UTF-8, or none that MQTT allows. */
const ILL_FORMED: Readonly<Record<string, Buffer>> = {
  "a lone continuation byte": hex("61 80"),
  "a sequence cut off": hex("61 e2 82"),
  "the surrogate D800": hex("ed a0 80"),
  "the surrogate DFFF": hex("ed bf bf"),
  "a pair of surrogates": hex("ed a0 bd ed b8 80"),
  "an overlong slash": hex("c0 af"),
  "an overlong U+0000": hex("c0 80"),
  "above U+10FFFF": hex("f4 90 80 80"),
  "U+0000": hex("61 00 62"),
};

export const strings: readonly Attack[] = [
  {
    id: "16",
    title: "ill-formed UTF-8, surrogates, U+0000",
    expected: "connection ended, 0x81",
    cheap: true,
    async run(t) {
      const { version } = t.variant;
      const cases = Object.entries(ILL_FORMED).flatMap(([name, text]) => [
        [`${name} in a topic`, publish(version, text)] as const,
        [`${name} in a filter`, subscribe(version, [text])] as const,
      ]);
      await endsConnection(t, Object.fromEntries(cases), [MALFORMED_PACKET, PROTOCOL_ERROR, TOPIC_NAME_INVALID]);
      const first = Object.entries(ILL_FORMED).flatMap(([name, text]) => [
        [`${name} in a client identifier`, connect({ clientId: text })] as const,
        [`${name} in a user name`, connect({ flags: 0x82, level: 4, clientId: "c", rest: [string(text)] })] as const,
        [
          `${name} in a will's topic`,
          connect({ flags: 0x06, level: 4, clientId: "c", rest: [string(text), string("x")] }),
        ] as const,
      ]);
      await refusedFirst(t, Object.fromEntries(first));
      // Allowed, if unwise: control characters and noncharacters.
      const peer = await t.client();
      peer.publish("own/mallory/\u0085\ufdd0\uffff", "x");
      t.check(await peer.isServed(), "a noncharacter in a topic: not served any more");
    },
  },
  {
    id: "17",
    title: "topic names and filters of the wrong form",
    expected: "connection ended, or the filter refused",
    cheap: true,
    async run(t) {
      const { version } = t.variant;
      const names = Object.fromEntries(
        ["", "a/+", "a/#", "#", "+"].map((name) => [`topic "${name}"`, publish(version, name)]),
      );
      await endsConnection(t, names, [MALFORMED_PACKET, PROTOCOL_ERROR, TOPIC_NAME_INVALID]);
      const filters = ["", "a/#/b", "a+", "+a", "a#", "#a", "a/b#", "$share/g/", "a/++"];
      await each(Object.fromEntries(filters.map((filter) => [filter, filter])), async (filter) => {
        const peer = await t.client();
        peer.channel.send(subscribe(version, [filter]));
        const suback = await peer.next(PacketType.SUBACK, 3000);
        t.check(peer.closed || (suback?.reasonCodes[0] ?? 0) >= 0x80, `filter "${filter}" is granted`);
        const allowed = [MALFORMED_PACKET, PROTOCOL_ERROR, TOPIC_FILTER_INVALID, undefined, 0];
        t.check(allowed.includes(peer.reasonCode), `filter "${filter}": DISCONNECT ${codeText(peer.reasonCode)}`);
      });
    },
  },
  {
    id: "18",
    title: "topics of 65,535 bytes and of 65,000 levels",
    expected: "taken or refused, at little cost",
    cheap: true,
    bounds: { cpuMs: 1500 },
    async run(t) {
      const { version } = t.variant;
      const topics = {
        long: `own/mallory/${"x".repeat(65_000)}`,
        slashes: "/".repeat(65_000),
        "own slashes": `own/mallory${"/".repeat(65_000)}`,
        pluses: `own/mallory/${"+/".repeat(32_000)}x`,
        deep: `own/mallory/${"a/".repeat(120)}`,
      };
      await each(topics, async (name, topic) => {
        const subscriber = await t.client();
        subscriber.channel.send(subscribe(version, [topic]));
        await subscriber.next(PacketType.SUBACK, 3000);
        const publisher = await t.client();
        for (let copy = 0; copy < 5 && !topic.includes("+"); copy += 1) {
          publisher.channel.send(publish(version, topic));
        }
        const ended = [
          0,
          undefined,
          QUOTA_EXCEEDED,
          TOPIC_NAME_INVALID,
          TOPIC_FILTER_INVALID,
          NOT_AUTHORIZED,
          MALFORMED_PACKET,
        ];
        for (const peer of [subscriber, publisher]) {
          const isServed = await peer.isServed(3000);
          t.check(isServed || peer.closed, `${name}: neither served nor ended`);
          t.check(ended.includes(peer.reasonCode), `${name}: DISCONNECT ${codeText(peer.reasonCode)}`);
        }
      });
    },
  },
  {
    id: "19",
    title: "client identifiers with + # / where a rule has %c",
    expected: "no right is gained",
    cheap: true,
    on: { access: [true] },
    async run(t) {
      const names = ["#", "+", "a/b", "+/x", "%u", "%c", "$SYS", "../x", "a/#"];
      await each(Object.fromEntries(names.map((name) => [name, name])), async (clientId) => {
        const peer = await t.peer();
        const connack = await t.connect(peer, { clientId });
        if (connack?.reasonCode !== 0) {
          return;
        }
        for (const filter of ["device/+/x", "device/victim/x", "device/a/b/x"]) {
          const suback = await peer.subscribe(filter, 0);
          const code = suback?.reasonCodes[0];
          const isOwn = !/[+#/$]/.test(clientId) && filter === "device/+/x";
          t.check(isOwn || (code ?? 0x80) >= 0x80, `client "${clientId}": ${filter} is granted (${codeText(code)})`);
        }
      });
    },
  },
  {
    id: "20",
    title: "client identifiers that are nearly alike, or names of the language",
    expected: "each has a session of its own",
    cheap: true,
    on: ONE_TRANSPORT,
    async run(t) {
      const ids = [
        ...["a/b", "a%2Fb", "a%2fb", "A/B", "a\\b", "a b", "a b ", "\u00e4", "a\u0308", "\u212b", "\u00c5"],
        ...[
          "constructor",
          "__proto__",
          "toString",
          "hasOwnProperty",
          "prototype",
          "null",
          "undefined",
          "0",
          "00",
          "-0",
        ],
        `${"x".repeat(500)}1`,
        `${"x".repeat(500)}2`,
      ];
      const peers = await Promise.all(ids.map((clientId) => t.client({ clientId, cleanStart: false })));
      const served = await Promise.all(peers.map((peer) => peer.isServed()));
      for (const [index, isServed] of served.entries()) {
        t.check(isServed, `client ${JSON.stringify(ids[index]).slice(0, 40)} was pushed out by another`);
      }
      await Promise.all(
        peers.map((peer, index) => {
          return peer.subscribe(`own/mallory/${index}`, 1);
        }),
      );
      const sender = await t.client();
      for (const index of ids.keys()) {
        sender.publish(`own/mallory/${index}`, "x", { qos: 1 });
      }
      await sender.isServed();
      await Promise.all(peers.map((peer) => peer.isServed()));
      const counts = peers.map(({ publishesReceived }) => publishesReceived);
      t.check(
        counts.every((count) => count === 1),
        `messages for each of them: ${counts.join(" ")}`,
      );
    },
  },
  {
    id: "21",
    title: "line ends, blanks, dots, * and > in names",
    expected: "names like others; the log stays one JSON object a line",
    cheap: true,
    async run(t) {
      const names = ["a\r\nb", " ", "a b", "a.b", "a.*.b", "*", ">", "a>", "\t", "..", "%00", '"', "{}", "\u2028"];
      const peer = await t.client({ clientId: 'evil"\r\n{"level":60}\u001b[2J' });
      for (const [index, name] of names.entries()) {
        const suback = await peer.subscribe(`own/mallory/${index}/${name}`, 0);
        t.check((suback?.reasonCodes[0] ?? 0x80) < 3, `filter ${JSON.stringify(name)} is refused`);
        peer.publish(`own/mallory/${index}/${name}`, "x");
      }
      t.check(await peer.isServed(), "not served any more");
      t.check(peer.publishesReceived === names.length, `${peer.publishesReceived} of ${names.length} messages came`);
      peer.channel.send(hex("30 80 80 80 80"));
      await peer.ending();
      const broken = t.log.filter(({ text }) => !isJson(text));
      t.check(broken.length === 0, `log lines that are no JSON: ${broken.map(({ text }) => text).join(" | ")}`);
    },
  },
];

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
