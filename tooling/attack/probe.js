/*
 * Loaded into the broker's process with `--import`: measures from inside what its event loop, its threads and its memory
 * do, and answers on file descriptor 3, so that the program itself needs no change. A line "begin" forgets what was seen,
 * "read" asks for it.
 */
import { openSync, readSync } from "node:fs";
import { Socket } from "node:net";
import { monitorEventLoopDelay, PerformanceObserver, performance } from "node:perf_hooks";
import process from "node:process";

const TICK_MS = 2;
const MEMORY_MS = 20;
const LONGEST_KEPT = 100;
const LONGEST_TOLD = 3;
/** What one client may take of the loop at once, in CPU time. */
const BLOCK_MS = 10;
/** How much of the time that it waits the loop has to work for, at most, as long as nobody attacks. */
const WORK_SHARE = 0.3;
const MOST_SLACK_MS = 60;

const PAGE_BYTES = 4096;

const memory = openMemory();
const delay = monitorEventLoopDelay({ resolution: 1 });
delay.enable();
const mainThread = threadClock();
let seen = begin();
let last = now();
let waitedBeforeMs = 0;

new PerformanceObserver((list) => {
  for (const { startTime, duration } of list.getEntries()) {
    seen.collectionMs += duration;
    if (duration > 1) {
      seen.collections.push({ startTime, duration });
    }
  }
}).observe({ entryTypes: ["gc"] });

// Between two calls lies at least one turn of the loop: what it used of the processor is how long it kept others waiting,
// however busy the machine is with something else.
setInterval(tick, TICK_MS).unref();
setInterval(() => {
  seen.peakBytes = Math.max(seen.peakBytes, residentBytes());
}, MEMORY_MS).unref();

const channel = new Socket({ fd: 3, readable: true, writable: true });
let received = "";
channel.on("data", (chunk) => {
  received += chunk;
  const lines = received.split("\n");
  received = lines.pop() ?? "";
  lines.forEach(answer);
});
channel.on("error", () => {});
channel.unref();

function answer(line) {
  tick();
  if (line === "begin") {
    seen = begin();
    delay.reset();
  }
  channel.write(`${JSON.stringify(read())}\n`);
}

function tick() {
  const at = now();
  const waitedMs = at.waitedMs - last.waitedMs;
  const cpuMs = at.cpuMs - last.cpuMs;
  const wallMs = at.wallMs - last.wallMs;
  seen.blocks.push({ cpuMs, wallMs, from: last.wallMs, to: at.wallMs, slackMs: slack(waitedMs + waitedBeforeMs) });
  waitedBeforeMs = waitedMs;
  last = at;
  if (seen.blocks.length > LONGEST_KEPT * 10) {
    seen.blocks = longest(seen.blocks);
  }
}

/**
 * On a machine that has too much to do, what came while the thread waited for a processor is handled in one turn: that is
 * nobody's block. It is allowed for, but not more than what would hide one.
 */
function slack(waitedMs) {
  return Math.min(MOST_SLACK_MS, waitedMs * WORK_SHARE);
}

function longest(blocks) {
  return blocks.sort((a, b) => b.cpuMs - a.cpuMs).slice(0, LONGEST_KEPT);
}

/** How much of a block was the collector's. */
function withCollection(block) {
  const during = seen.collections.filter(({ startTime }) => startTime >= block.from && startTime < block.to);
  const collectionMs = during.reduce((sum, { duration }) => sum + duration, 0);
  const { cpuMs, wallMs, slackMs } = block;
  return { cpuMs, wallMs, collectionMs, slackMs, workMs: Math.max(0, cpuMs - collectionMs) };
}

function read() {
  const at = now();
  const blocks = longest(seen.blocks)
    .map(withCollection)
    .sort((a, b) => b.workMs - b.slackMs - (a.workMs - a.slackMs));
  const cpu = process.cpuUsage(seen.cpu);
  return {
    wallMs: at.wallMs - seen.at.wallMs,
    loopCpuMs: at.cpuMs - seen.at.cpuMs,
    waitedForCpuMs: at.waitedMs - seen.at.waitedMs,
    processCpuMs: (cpu.user + cpu.system) / 1000,
    utilization: performance.eventLoopUtilization(seen.utilization).utilization,
    collectionMs: seen.collectionMs,
    blocks: blocks.slice(0, LONGEST_TOLD),
    blocksAboveLimit: blocks.filter(({ workMs, slackMs }) => workMs - slackMs > BLOCK_MS).length,
    delayP99Ms: delay.percentile(99) / 1e6,
    rssBeforeBytes: seen.rssBytes,
    rssPeakBytes: Math.max(seen.peakBytes, residentBytes()),
    rssBytes: residentBytes(),
  };
}

function begin() {
  const rssBytes = residentBytes();
  return {
    at: now(),
    cpu: process.cpuUsage(),
    utilization: performance.eventLoopUtilization(),
    rssBytes,
    peakBytes: rssBytes,
    blocks: [],
    collections: [],
    collectionMs: 0,
  };
}

function now() {
  return { wallMs: performance.now(), ...mainThread() };
}

/** From a file that stays open: there may be no descriptor left when it is asked for. */
function residentBytes() {
  if (memory === undefined) {
    return process.memoryUsage.rss();
  }
  const bytes = Buffer.alloc(100);
  const [, pages = "0"] = bytes.toString("latin1", 0, readSync(memory, bytes, 0, 100, 0)).split(" ");
  return Number(pages) * PAGE_BYTES;
}

function openMemory() {
  try {
    return openSync("/proc/self/statm", "r");
  } catch {
    return undefined;
  }
}

/** The processor time of the loop's thread, and how long it waited for a processor; elsewhere than on Linux, of the process. */
function threadClock() {
  try {
    const file = openSync(`/proc/self/task/${process.pid}/schedstat`, "r");
    const bytes = Buffer.alloc(100);
    return () => {
      const [ran = "0", waited = "0"] = bytes.toString("latin1", 0, readSync(file, bytes, 0, 100, 0)).split(" ");
      return { cpuMs: Number(ran) / 1e6, waitedMs: Number(waited) / 1e6 };
    };
  } catch {
    return () => {
      const { user, system } = process.cpuUsage();
      return { cpuMs: (user + system) / 1000, waitedMs: 0 };
    };
  }
}
