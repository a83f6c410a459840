import { below, pick } from "../random.ts";

type Random = () => number;
type Mutation = (bytes: Buffer, random: Random) => Buffer;

/** Values that are borders of something. */
const BORDERS = [0x00, 0x01, 0x7f, 0x80, 0xfe, 0xff];

const MUTATIONS: readonly Mutation[] = [
  // A bit.
  (bytes, random) => changed(bytes, below(bytes.length, random), (byte) => byte ^ (1 << below(8, random))),
  // A byte at a border.
  (bytes, random) => changed(bytes, below(bytes.length, random), () => pick(BORDERS, random)),
  // Flags and type.
  (bytes, random) => changed(bytes, 0, () => below(256, random)),
  // The length.
  (bytes, random) => changed(bytes, 1, (byte) => byte + pick([-1, 1, 2, 64, 128], random)),
  // Cut off, under the same length and under the right one.
  (bytes, random) => bytes.subarray(0, below(bytes.length, random)),
  (bytes, random) => withLength(bytes, (body) => body.subarray(0, below(body.length + 1, random))),
  // A part twice, a part left out, a part from elsewhere.
  (bytes, random) => withLength(bytes, (body) => spliced(body, part(body, random), random)),
  (bytes, random) => {
    return withLength(bytes, (body) => {
      const from = below(body.length + 1, random);
      return Buffer.concat([body.subarray(0, from), body.subarray(from + below(6, random))]);
    });
  },
  (bytes, random) => withLength(bytes, (body) => spliced(body, pick(FOREIGN, random), random)),
];

const FOREIGN: readonly Buffer[] = [
  "2600016100016200",
  "110000000a",
  "2300ff",
  "0b00",
  "27000000ff",
  "210000",
  "ffffffff7f",
  "edA080",
  "0000",
  "1f0003616263",
].map((text) => Buffer.from(text, "hex"));

/** A packet that is not quite what it was. */
export function mutate(bytes: Buffer, random: Random): Buffer {
  return bytes.length === 0 ? bytes : pick(MUTATIONS, random)(bytes, random);
}

function changed(bytes: Buffer, index: number, change: (byte: number) => number): Buffer {
  const result = Buffer.from(bytes);
  if (index < result.length) {
    result[index] = change(result[index]!) & 0xff;
  }
  return result;
}

/** Changes what is behind the length, and puts the length right. */
function withLength(bytes: Buffer, change: (body: Buffer) => Buffer): Buffer {
  let start = 1;
  while (start < bytes.length && bytes[start]! >= 0x80) {
    start += 1;
  }
  const body = change(bytes.subarray(start + 1));
  const length: number[] = [];
  for (let rest = body.length; length.length === 0 || rest > 0; rest >>= 7) {
    length.push((rest & 0x7f) | (rest >= 0x80 ? 0x80 : 0));
  }
  return Buffer.concat([bytes.subarray(0, 1), Buffer.from(length), body]);
}

function part(body: Buffer, random: Random): Buffer {
  const from = below(body.length + 1, random);
  return body.subarray(from, from + below(12, random));
}

function spliced(body: Buffer, inserted: Buffer, random: Random): Buffer {
  const at = below(body.length + 1, random);
  return Buffer.concat([body.subarray(0, at), inserted, body.subarray(at)]);
}
