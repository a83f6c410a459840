import {
  createDecoder,
  createPacketWriter,
  decode,
  encode,
  encodedLength,
  type Packet,
  packetIdOffset,
} from "@tidewire/codec";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { packet } from "./arbitraries.ts";

/** Printed by fast-check on failure; `FC_SEED=n` runs the same again. */
const seed = Number(process.env.FC_SEED ?? Date.now() % 0x7fff_ffff);

describe.each([3, 4, 5] as const)("any packets of version %i", (version) => {
  test("decode to what was encoded", () => {
    fc.assert(
      fc.property(packet(version), (any) => {
        const bytes = encode(any, version);
        expect(decode(bytes, version)).toEqual(any);
        expect(encodedLength(any, version)).toBe(bytes.length);
        const offset = packetIdOffset(bytes);
        const id = "packetId" in any ? any.packetId : 0;
        expect(offset === 0 ? 0 : ((bytes[offset] as number) << 8) | (bytes[offset + 1] as number)).toBe(id);
      }),
      { seed, numRuns: 400 },
    );
  });

  test("go through writers and decoders in chunks of any size", () => {
    const script = fc.array(fc.tuple(packet(version), fc.nat(2), fc.boolean(), fc.boolean()), { maxLength: 40 });
    fc.assert(
      fc.property(script, fc.integer({ min: 1, max: 300 }), (steps, size) => {
        // Three writers take turns in the memory that they share.
        const writers = [0, 1, 2].map(() => createPacketWriter({ version }));
        const taken: Uint8Array[][] = [[], [], []];
        const copies: Uint8Array[][] = [[], [], []];
        const sent: Packet[][] = [[], [], []];
        const take = (index: number): void => {
          const writer = writers[index];
          const pending = writer?.pendingBytes;
          const chunks = writer?.take() ?? [];
          expect(chunks.reduce((sum, chunk) => sum + chunk.length, 0)).toBe(pending);
          taken[index]?.push(...chunks);
          copies[index]?.push(...chunks.map((chunk) => chunk.slice()));
        };
        for (const [any, index, raw, flush] of steps) {
          const encoded = { type: 0, bytes: encode(any, version), packetIdOffset: 0, packetId: 0 } as const;
          writers[index]?.write(raw ? encoded : any);
          sent[index]?.push(any);
          if (flush) {
            take(index);
          }
        }
        for (const index of [0, 1, 2]) {
          take(index);
          // What was taken stays as it was.
          expect(taken[index]).toEqual(copies[index]);
          const stream = Buffer.concat(taken[index] ?? []);
          const decoder = createDecoder({ version });
          const got: Packet[] = [];
          for (let at = 0; at < stream.length; at += size) {
            decoder.push(stream.subarray(at, at + size));
            for (let next = decoder.next(); next !== null; next = decoder.next()) {
              got.push(next);
            }
          }
          expect(got).toEqual(sent[index]);
        }
      }),
      { seed, numRuns: 60 },
    );
  });
});
