import { PacketType, type Properties } from "@tidewire/codec";
import type { Attack } from "../attack.ts";
import { codeText } from "../cases.ts";
import type { Context } from "../context.ts";
import type { Peer } from "../peer.ts";
import { rulesWithout, users } from "../server.ts";
import type { Dimensions } from "../variant.ts";
import { sleep } from "../wait.ts";
import { refusal } from "./state.ts";

const USERS: Partial<Dimensions> = { access: [true] };
/** For what is about rights alone: over TCP, both versions and stores. */
const RIGHTS: Partial<Dimensions> = { access: [true], transports: ["tcp"] };

export const access: readonly Attack[] = [
  {
    id: "43",
    title: "a denied topic: live, retained, queued, as a will, shared, in flight",
    expected: "none of them reaches who may not read it",
    cheap: true,
    on: USERS,
    async run(t) {
      const got: string[] = [];
      const watch = { user: "bob", onPublish: ({ topic }: { readonly topic: string }) => got.push(topic) } as const;
      const will = {
        topic: "news/secret",
        payload: Buffer.from("w"),
        qos: 1,
        retain: true,
        properties: undefined,
      } as const;
      const dying = await t.client({ will }, { user: "alice" });
      const alice = await t.client({}, { user: "alice" });
      const clientId = t.clientId();
      const absent = await t.client({ clientId, cleanStart: false, properties: lasting(t) }, { user: "bob" });
      await absent.subscribe("news/#", 1);
      absent.destroy();
      const live = await t.client({}, watch);
      const shared = await t.client({}, watch);
      await live.subscribe("#", 1);
      await shared.subscribe("$share/g/news/#", 1);
      dying.destroy();
      for (const retain of [false, true]) {
        alice.publish("news/secret", "s", { qos: 1, retain });
        alice.publish("news/open", "o", { qos: 1, retain });
      }
      await alice.isServed();
      const late = await t.client({}, watch);
      await late.subscribe("news/secret", 1);
      await late.subscribe("news/+", 1);
      const back = await t.client({ clientId, cleanStart: false, properties: lasting(t) }, watch);
      await sleep(100);
      for (const peer of [live, shared, late, back]) {
        t.check(await peer.isServed(), "a reader is not served any more");
      }
      t.check(!got.includes("news/secret"), "the denied topic reached one who may not read it");
      t.check(got.filter((topic) => topic === "news/open").length >= 4, `what may be read came ${got.length} times`);
    },
  },
  {
    id: "44",
    title: "a client identifier whose user is gone, taken by another one",
    expected: "nothing of the former owner's messages comes",
    cheap: true,
    on: RIGHTS,
    server: {},
    async run(t) {
      const clientId = t.clientId();
      await leaveInFlight(t, clientId, "alice", "private/plan");
      await t.server.reload({ without: ["alice"] });
      const heir = await t.peer();
      const connack = await t.connect(heir, { clientId, cleanStart: false, properties: lasting(t) });
      await heir.isServed(2000);
      t.note(`CONNACK ${codeText(connack?.reasonCode)}, session present: ${connack?.sessionPresent}`);
      t.check(heir.publishesReceived === 0, "messages of the former owner came");
    },
  },
  {
    id: "44.2",
    title: "messages in flight after the right to read is gone",
    expected: "they do not come again",
    on: RIGHTS,
    server: {},
    async run(t) {
      const clientId = t.clientId();
      await leaveInFlight(t, clientId, "bob", "news/plan");
      await t.server.reload({ rules: rulesWithout("topic read news/#") });
      const back = await t.client({ clientId, cleanStart: false, properties: lasting(t) }, { user: "bob" });
      await back.isServed(2000);
      t.check(back.publishesReceived === 0, "messages that it may not read any more came");
    },
  },
  {
    id: "44.3",
    title: "a session of nobody, taken by a user",
    expected: "refused with 0x85; its client stays",
    cheap: true,
    on: RIGHTS,
    server: { arguments: ["--allow-anonymous"] },
    async run(t) {
      const clientId = t.clientId();
      const nobody = await t.peer({ acknowledges: false });
      await nobody.connect({ clientId, cleanStart: false, properties: lasting(t) });
      await nobody.subscribe("anonymous/#", 1);
      nobody.publish("anonymous/x", "x", { qos: 1 });
      t.check((await nobody.next(PacketType.PUBLISH)) !== undefined, "the message did not come to its owner");
      const thief = await t.peer();
      const connack = await t.connect(thief, { clientId, cleanStart: false, properties: lasting(t) });
      t.check(connack?.reasonCode === refusal(t, 0x85), `CONNACK ${codeText(connack?.reasonCode)}`);
      t.check(thief.publishesReceived === 0, "messages of the session came");
      t.check(await nobody.isServed(), "its client was pushed out");
    },
  },
  {
    id: "44.4",
    title: "a will whose right to be written is gone after a restart",
    expected: "it never comes",
    on: { access: [true], transports: ["tcp"], stores: ["lmdb"], versions: [5] },
    standsAlone: true,
    async run(t) {
      const directory = t.directory();
      const first = await t.startServer({}, directory);
      const properties = { willDelayInterval: 1 };
      const will = { topic: "news/will", payload: Buffer.from("w"), qos: 1, retain: true, properties } as const;
      const dying = await t.peerAt(first.program);
      await t.connect(dying, { will, clientId: t.clientId(), properties: { sessionExpiryInterval: 100 } }, "alice");
      t.check(await dying.isServed(), "the client with the will is not served");
      first.program.kill("SIGKILL");
      await first.program.exited;
      const second = await t.startServer({ without: ["topic readwrite news/#"] }, directory);
      const watcher = await t.peerAt(second.program);
      await t.connect(watcher, {}, "bob");
      await watcher.subscribe("news/will", 1);
      await sleep(2500);
      t.check(await watcher.isServed(), "the watcher is not served");
      t.check(watcher.publishesReceived === 0, "the will came");
    },
  },
  {
    id: "45",
    title: "# against the broker's own topics; publishing to $SYS and $CONTROL",
    expected: "# has nothing of $SYS; what is published there goes nowhere, and a 3.1.1 client stays",
    cheap: true,
    async run(t) {
      const watcher = await t.client();
      await watcher.subscribe(["#", "+/broker/uptime", "+/x"], 0);
      const peer = await t.client();
      for (const topic of ["$SYS/x", "$SYS/broker/uptime", "$CONTROL/x", "$share/g/x"]) {
        const writer = await t.client();
        writer.publish(topic, "forged", { qos: 1, retain: true });
        const isServed = await writer.isServed(3000);
        t.check(isServed || writer.closed, `${topic}: neither served nor ended`);
        t.check(
          isServed || t.variant.version === 5 || topic.startsWith("$share"),
          `${topic}: a 3.1.1 client is thrown out`,
        );
      }
      await watcher.isServed();
      const topics = watcher.received.flatMap((each) => (each.type === PacketType.PUBLISH ? [each.topic] : []));
      t.check(!topics.some((topic) => topic.startsWith("$")), `# brought ${topics.join(" ")}`);
      const suback = await peer.subscribe("$SYS/x", 0);
      await peer.isServed();
      if ((suback?.reasonCodes[0] ?? 0x80) < 0x80) {
        t.check(peer.publishesReceived === 0, "a forged $SYS message was kept");
      }
    },
  },
  {
    id: "47",
    title: "no name, no password, half of them, more than the password",
    expected: "CONNACK 0x86 or 0x87, and a line in the log",
    cheap: true,
    on: USERS,
    async run(t) {
      const password = Buffer.from(users.alice);
      const attempts = {
        nothing: {},
        "a name alone": { username: "alice" },
        "an empty password": { username: "alice", password: Buffer.alloc(0) },
        "the password and U+0000": { username: "alice", password: Buffer.concat([password, Buffer.from([0])]) },
        "the password cut off": { username: "alice", password: password.subarray(0, 4) },
        "another one's password": { username: "alice", password: Buffer.from(users.bob) },
        "a name in capitals": { username: "Alice", password },
        "a name and U+200B": { username: "alice\u200b", password },
        "an empty name": { username: "", password },
        "a name of the language": { username: "__proto__", password },
      };
      for (const [name, fields] of Object.entries(attempts)) {
        const peer = await t.peer();
        const connack = await peer.connect({ clientId: t.clientId(), ...fields });
        const codes = [refusal(t, 0x86), refusal(t, 0x87)];
        t.check(
          connack !== undefined && codes.includes(connack.reasonCode),
          `${name}: ${codeText(connack?.reasonCode)}`,
        );
      }
      await t.logs(/refused/i, "that clients were refused");
    },
  },
  {
    id: "47.2",
    title: "whether a name exists, told by the time that a wrong password takes",
    expected: "as much work for a name that is not there",
    on: RIGHTS,
    server: { passwordCostLog2: 15 },
    async run(t) {
      const cost = async (username: string) => {
        const before = (await t.program.read())?.processCpuMs ?? 0;
        for (let attempt = 0; attempt < 8; attempt += 1) {
          const peer = await t.peer();
          await peer.connect({ username, password: Buffer.from(`guess ${attempt}`) }, 20_000);
          peer.destroy();
        }
        return ((await t.program.read())?.processCpuMs ?? 0) - before;
      };
      await cost("alice");
      const [known, unknown] = [await cost("alice"), await cost("nobody")];
      t.note(`a name that is there ${known.toFixed(0)} ms, one that is not ${unknown.toFixed(0)} ms of processor time`);
      t.check(unknown > known / 2 && unknown < known * 2, "the work is not the same");
    },
  },
  {
    id: "47.3",
    title: "rules with %u for one who has no name",
    expected: "no right is gained",
    on: RIGHTS,
    server: { arguments: ["--allow-anonymous"] },
    async run(t) {
      for (const clientId of [t.clientId(), "#", "mallory"]) {
        const peer = await t.peer();
        await peer.connect({ clientId });
        for (const filter of ["own//x", "own/+/x", "own/mallory/x", "own/#", "own/undefined/x", "private/#"]) {
          const code = (await peer.subscribe(filter, 0))?.reasonCodes[0];
          t.check((code ?? 0x80) >= 0x80, `client "${clientId}": ${filter} is granted (${codeText(code)})`);
        }
      }
    },
  },
  {
    id: "47.4",
    title: "a client identifier that is meant for another user",
    expected: "refused with 0x85 where identifiers are bound to users; its owner gets in",
    cheap: true,
    on: RIGHTS,
    server: { arguments: ["--client-id", "%u-*"] },
    async run(t) {
      const fields = { clientId: "alice-device", cleanStart: false, properties: lasting(t) };
      const squatter = await t.peer();
      const connack = await t.connect(squatter, fields);
      t.check(connack?.reasonCode === refusal(t, 0x85), `CONNACK ${codeText(connack?.reasonCode)}`);
      const owner = await t.connect(await t.peer(), fields, "alice");
      t.check(owner?.reasonCode === 0, `its owner gets CONNACK ${codeText(owner?.reasonCode)}`);
    },
  },
  {
    id: "44.5",
    title: "a retained message of one who may not publish it any more",
    expected: "not sent, with --check-retained",
    on: RIGHTS,
    server: { arguments: ["--check-retained"] },
    async run(t) {
      const alice = await t.client({}, { user: "alice" });
      alice.publish("news/plan", "x", { qos: 1, retain: true });
      await alice.isServed();
      const before = await t.client({}, { user: "bob" });
      await before.subscribe("news/plan", 1);
      t.check((await before.next(PacketType.PUBLISH, 5000)) !== undefined, "it does not come while it may");
      await t.server.reload({ rules: rulesWithout("topic readwrite news/#") });
      const after = await t.client({}, { user: "bob" });
      await after.subscribe("news/plan", 1);
      await after.isServed();
      t.check(after.publishesReceived === 0, "it came");
    },
  },
];

/** Leaves a session with one message that was delivered and not acknowledged. */
async function leaveInFlight(t: Context, clientId: string, user: "alice" | "bob", topic: string): Promise<void> {
  const owner = await t.client({ clientId, cleanStart: false, properties: lasting(t) }, { user, acknowledges: false });
  await owner.subscribe(topic, 1);
  const alice = await t.client({}, { user: "alice" });
  alice.publish(topic, "secret", { qos: 1 });
  t.check((await owner.next(PacketType.PUBLISH)) !== undefined, "the message did not come to its owner");
  await gone(owner);
  alice.publish(topic, "queued", { qos: 1 });
  await alice.isServed();
}

async function gone(peer: Peer): Promise<void> {
  peer.destroy();
  await sleep(100);
}

/** Properties of a CONNECT whose session stays. */
export function lasting({ variant }: Context): Properties | undefined {
  return variant.version === 5 ? { sessionExpiryInterval: 600 } : undefined;
}
