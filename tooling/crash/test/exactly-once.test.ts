import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PacketType } from "@tidewire/codec";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Server } from "../src/server.ts";
import { Wire } from "../src/wire.ts";

/*
 * The QoS 2 exchange, cut by a kill between every two of its steps. Whoever is on the other side goes on as the
 * specification says, and the message must have arrived exactly once.
 */

/** What happens between two kills. */
type Phase = () => Promise<void>;

const TOPIC = "exactly/once/";
let directory: string;
let server: Server;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), "tidewire-crash-"));
  server = new Server(directory);
  await server.start();
});

afterEach(async () => {
  await server.stop();
  rmSync(directory, { recursive: true });
});

describe("a publisher whose server is killed when", () => {
  test.each(["PUBLISH was sent", "PUBREC came", "PUBREL was sent", "PUBCOMP came", "PUBLISH was sent again"] as const)(
    "%s",
    async (step) => {
      await runBoth((version) => {
        const released = step === "PUBREL was sent" || step === "PUBCOMP came";
        const begin: Phase = async () => {
          const subscriber = await Wire.open(server.port, `subscriber-${version}`, version);
          await subscriber.wire.subscribe(TOPIC + version, 2);
          subscriber.wire.close();
          const { wire } = await Wire.open(server.port, `publisher-${version}`, version);
          wire.publish(1, 2, false, TOPIC + version, "once");
          if (step !== "PUBLISH was sent") {
            await wire.next(PacketType.PUBREC);
          }
          if (released) {
            wire.acknowledge(PacketType.PUBREL, 1);
          }
          if (step === "PUBCOMP came") {
            await wire.next(PacketType.PUBCOMP);
          }
        };
        const sendAgain: Phase = async () => {
          const wire = await resume(`publisher-${version}`, version);
          wire.publish(1, 2, true, TOPIC + version, "once");
        };
        const finish: Phase = async () => {
          const wire = await resume(`publisher-${version}`, version);
          if (step !== "PUBCOMP came") {
            if (!released) {
              wire.publish(1, 2, true, TOPIC + version, "once");
              await wire.next(PacketType.PUBREC);
            }
            wire.acknowledge(PacketType.PUBREL, 1);
            await wire.next(PacketType.PUBCOMP);
          }
          // The packet id is free again: a new message under it is a new message.
          await publish(wire, version, "next");
          expect(await receiveAll(version, 2)).toEqual(["once", "next"]);
        };
        return step === "PUBLISH was sent again" ? [begin, sendAgain, finish] : [begin, finish];
      });
    },
  );
});

describe("a subscriber whose server is killed when", () => {
  test.each([
    "the message waits in the queue",
    "PUBLISH came",
    "PUBREC was sent",
    "PUBREL came",
    "PUBCOMP was sent",
  ] as const)("%s", async (step) => {
    await runBoth((version) => {
      const begin: Phase = async () => {
        const { wire } = await Wire.open(server.port, `subscriber-${version}`, version);
        await wire.subscribe(TOPIC + version, 2);
        if (step === "the message waits in the queue") {
          wire.close();
        }
        const publisher = await Wire.open(server.port, `publisher-${version}`, version);
        await publish(publisher.wire, version, "once");
        if (step === "the message waits in the queue") {
          return;
        }
        const { packetId } = await wire.next(PacketType.PUBLISH);
        expect(packetId).toBe(1);
        if (step !== "PUBLISH came") {
          wire.acknowledge(PacketType.PUBREC, packetId);
        }
        if (step === "PUBREL came" || step === "PUBCOMP was sent") {
          await wire.next(PacketType.PUBREL);
        }
        if (step === "PUBCOMP was sent") {
          wire.acknowledge(PacketType.PUBCOMP, packetId);
        }
      };
      // What comes after the kill depends on what the server had seen; all of it is about this one exchange.
      const finish: Phase = async () => {
        const wire = await resume(`subscriber-${version}`, version);
        let finished = step === "PUBCOMP was sent";
        const next = (): ReturnType<Wire["poll"]> => wire.poll(finished ? QUIET_MS : WAIT_MS);
        for (let packet = await next(); packet !== undefined; packet = await next()) {
          if (packet.type === PacketType.PUBLISH) {
            expect(["the message waits in the queue", "PUBLISH came", "PUBREC was sent"]).toContain(step);
            expect([packet.packetId, packet.dup]).toEqual([1, step !== "the message waits in the queue"]);
            wire.acknowledge(PacketType.PUBREC, packet.packetId);
          } else {
            expect(packet).toMatchObject({ type: PacketType.PUBREL, packetId: 1 });
            wire.acknowledge(PacketType.PUBCOMP, 1);
            finished = true;
          }
        }
        wire.close();
        expect(await receiveAll(version, 0)).toEqual([]);
      };
      return [begin, finish];
    });
  });
});

/** Runs the phases with both versions of MQTT side by side, and kills the server after each but the last. */
async function runBoth(phasesOf: (version: 4 | 5) => Phase[]): Promise<void> {
  const [four, five] = [phasesOf(4), phasesOf(5)];
  for (const [index, phase] of four.entries()) {
    if (index > 0) {
      await server.kill();
      await server.start();
    }
    await Promise.all([phase(), five[index]?.()]);
  }
}

/** Opens the session again, which must be there. */
async function resume(clientId: string, version: 4 | 5): Promise<Wire> {
  const { wire, connack } = await Wire.open(server.port, clientId, version);
  expect(connack.sessionPresent).toBe(true);
  return wire;
}

/** The whole exchange, undisturbed. */
async function publish(wire: Wire, version: 4 | 5, payload: string): Promise<void> {
  wire.publish(1, 2, false, TOPIC + version, payload);
  await wire.next(PacketType.PUBREC);
  wire.acknowledge(PacketType.PUBREL, 1);
  await wire.next(PacketType.PUBCOMP);
}

/** Connects and takes what comes by the book: as many as are expected, and then whatever else comes. */
async function receiveAll(version: 4 | 5, expected: number): Promise<string[]> {
  const wire = await resume(`subscriber-${version}`, version);
  const payloads: string[] = [];
  let finished = 0;
  const next = (): ReturnType<Wire["poll"]> => wire.poll(finished < expected ? WAIT_MS : QUIET_MS);
  for (let packet = await next(); packet !== undefined; packet = await next()) {
    if (packet.type === PacketType.PUBLISH) {
      payloads.push(Buffer.from(packet.payload).toString());
      wire.acknowledge(PacketType.PUBREC, packet.packetId);
    } else if (packet.type === PacketType.PUBREL) {
      wire.acknowledge(PacketType.PUBCOMP, packet.packetId);
      finished += 1;
    }
  }
  wire.close();
  return payloads;
}

/** For what has to come, also on a busy machine. */
const WAIT_MS = 10_000;

/** For what must not come: a server says it at once, and listening longer could only find more. */
const QUIET_MS = 300;
