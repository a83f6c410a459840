import { expect, test } from "vitest";
import type { Consumer } from "./consumer.ts";
import { Pressure } from "./pressure.ts";

function fakeLink(log: string[], name: string) {
  return { pause: () => log.push(`pause ${name}`), resume: () => log.push(`resume ${name}`) } as never;
}

test("paused once for any number of full consumers, resumed when none is", () => {
  const log: string[] = [];
  const host = { link: fakeLink(log, "1") };
  const pressure = new Pressure(host, () => false);
  const consumers = [{ full: true }, { full: true }] as Consumer[];
  for (const consumer of consumers) {
    pressure.changed(consumer);
  }
  expect(log).toEqual(["pause 1"]);
  consumers[0]!.full = false;
  pressure.changed(consumers[0]!);
  expect(log).toEqual(["pause 1"]);
  consumers[1]!.full = false;
  pressure.changed(consumers[1]!);
  expect(log).toEqual(["pause 1", "resume 1"]);
});

test("read on while an answer is awaited, and paused again on the next connection", () => {
  const log: string[] = [];
  const host = { link: fakeLink(log, "1") };
  let awaits = false;
  const pressure = new Pressure(host, () => awaits);
  pressure.changed({ full: true } as Consumer);
  awaits = true;
  pressure.update();
  awaits = false;
  pressure.update();
  host.link = fakeLink(log, "2");
  pressure.update();
  expect(log).toEqual(["pause 1", "resume 1", "pause 1", "resume 1", "pause 2"]);
});
