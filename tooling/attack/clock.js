/*
 * Loaded with `--import`: a wall clock that can be put wrong. `TIDEWIRE_ATTACK_CLOCK` names a file with the
 * milliseconds that it is ahead by; SIGUSR2 reads it again. The monotonic clock goes on as it does.
 */
import { readFileSync } from "node:fs";
import process from "node:process";

const RealDate = Date;
let aheadMs = read();
process.on("SIGUSR2", () => {
  aheadMs = read();
});

globalThis.Date = class extends RealDate {
  constructor(...args) {
    super(...(args.length === 0 ? [RealDate.now() + aheadMs] : args));
  }

  static now() {
    return RealDate.now() + aheadMs;
  }
};

function read() {
  return Number(readFileSync(process.env.TIDEWIRE_ATTACK_CLOCK, "utf8"));
}
