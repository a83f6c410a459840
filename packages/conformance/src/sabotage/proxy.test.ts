import { expect, test } from "vitest";
import type { RawConnection, RawHandler } from "../connection.ts";
import { hex } from "../failure.ts";
import * as wire from "../wire/index.ts";
import { bytes, concat, Type } from "../wire/index.ts";
import { type Saboteur, sabotage } from "./proxy.ts";

/** A server that sends back what it gets. */
class Echo implements RawConnection {
  readonly got: Uint8Array[] = [];
  #handler: RawHandler | undefined;

  start(handler: RawHandler): void {
    this.#handler = handler;
  }

  send(chunk: Uint8Array): void {
    this.got.push(chunk);
    this.#handler?.onData(chunk);
  }

  close(): void {
    this.#handler?.onClose();
  }
}

async function through(hooks: Partial<Saboteur>, ...chunks: Uint8Array[]): Promise<{ got: string[]; back: string[] }> {
  const echo = new Echo();
  const saboteur: Saboteur = { id: "test", version: "5.0", fault: "none", breaks: "1.5.4-1", ...hooks };
  const connection = await sabotage(async () => echo, saboteur)();
  const back: string[] = [];
  connection.start({ onData: (chunk) => back.push(hex(chunk)), onClose: () => back.push("closed") });
  for (const chunk of chunks) {
    connection.send(chunk);
  }
  return { got: echo.got.map(hex), back };
}

test("lets packets through packet by packet", async () => {
  const { got, back } = await through({}, concat(wire.pingreq(), wire.pingresp()));
  expect(got).toEqual(["c000", "d000"]);
  expect(back).toEqual(["c000", "d000"]);
});

test("swallows and replaces packets, each way", async () => {
  const swallow: Saboteur["toServer"] = ({ type }) => (type === Type.PINGREQ ? [] : undefined);
  const double: Saboteur["toClient"] = (packet) => [packet.bytes, packet.bytes];
  const { got, back } = await through({ toServer: swallow, toClient: double }, wire.pingreq(), wire.pingresp());
  expect(got).toEqual(["d000"]);
  expect(back).toEqual(["d000", "d000"]);
});

test("passes on bytes that are no packets", async () => {
  const { got } = await through({}, bytes(0x30, 0x80, 0x80, 0x80, 0x80, 0x01), bytes(0xff));
  expect(got).toEqual(["308080808001", "ff"]);
});
