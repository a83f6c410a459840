import { expect, it } from "vitest";
import { LogSink } from "./log-sink.ts";

/** A reader with room for so many bytes, and time that passes when it is told to. */
class Reader {
  room = Number.POSITIVE_INFINITY;
  error: Error | undefined;
  text = "";
  writes = 0;
  #callbacks: (() => void)[] = [];
  readonly sink = new LogSink({
    write: (bytes) => this.#write(bytes),
    later: (callback) => this.#callbacks.push(callback),
    gap: (count) => `${count} left out\n`,
    limit: 100,
  });

  tick(): void {
    for (const callback of this.#callbacks.splice(0)) {
      callback();
    }
  }

  #write(bytes: Uint8Array): number {
    this.writes += 1;
    if (this.error !== undefined) {
      throw this.error;
    }
    const taken = Math.min(this.room, bytes.length);
    if (taken === 0) {
      throw Object.assign(new Error("no room"), { code: "EAGAIN" });
    }
    this.room -= taken;
    this.text += Buffer.from(bytes.subarray(0, taken)).toString();
    return taken;
  }
}

it("writes the lines of a turn together", () => {
  const reader = new Reader();
  reader.sink.write("one\n");
  reader.sink.write("two\n");
  expect(reader.text).toBe("");
  reader.tick();
  expect(reader).toMatchObject({ text: "one\ntwo\n", writes: 1 });
});

it("keeps what is not read, leaves out what is too much, and says so once in its place", () => {
  const reader = new Reader();
  reader.room = 2;
  const line = (index: number): string => `line ${index}\n`;
  for (let index = 0; index < 1000; index += 1) {
    reader.sink.write(line(index % 10));
    reader.tick();
  }
  expect(reader.text).toBe("li");
  reader.room = Number.POSITIVE_INFINITY;
  reader.tick();
  reader.sink.write("after\n");
  reader.tick();
  reader.tick();
  const kept = Array.from({ length: 14 }, (_, index) => line(index % 10)).join("");
  expect(reader.text).toBe(`${kept}${1000 - 14} left out\nafter\n`);
});

it("drops what a broken stream does not take, and goes on when it is whole again", () => {
  const reader = new Reader();
  reader.error = Object.assign(new Error("disk full"), { code: "ENOSPC" });
  reader.sink.write("one\n");
  reader.tick();
  reader.sink.write("two\n");
  reader.tick();
  reader.error = undefined;
  reader.tick();
  reader.tick();
  expect(reader.text).toBe("2 left out\n");
  expect(reader.sink.flush()).toBe(true);
});

it("escapes what a terminal would obey", () => {
  const reader = new Reader();
  reader.sink.write(`${JSON.stringify({ id: "a\u001b[2J\u009b2J\u202ecod\u2028\u007f" })}\n`);
  reader.tick();
  expect(reader.text).toBe('{"id":"a\\u001b[2J\\u009b2J\\u202ecod\\u2028\\u007f"}\n');
  expect(JSON.parse(reader.text)).toEqual({ id: "a\u001b[2J\u009b2J\u202ecod\u2028\u007f" });
});
