import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { mosquittoPub, mosquittoSub } from "../src/mosquitto.ts";
import { temporaryDirectory } from "../src/paths.ts";
import { describeWithPeers, peerPath } from "../src/peers.ts";
import { freePort } from "../src/ports.ts";
import { Program } from "../src/program.ts";
import { startServer } from "../src/tidewire.ts";

/*
 * A mosquitto with a bridge to Tidewire, as people configure it: with its defaults it marks itself as a bridge (protocol
 * level 0x84) and says below $SYS/broker/connection that it is there. It never got in once, and nothing was logged.
 */
describeWithPeers(["mosquitto", "mosquitto_pub", "mosquitto_sub"], "mosquitto as a bridge to Tidewire", () => {
  it.each(["mqttv311", "mqttv31", "mqttv50"])("carries messages both ways with %s, once each", async (version) => {
    const server = await startServer();
    const tidewire = server.ports[0] ?? 0;
    const port = await freePort();
    const config = join(temporaryDirectory(), "bridge.conf");
    const lines = [
      "allow_anonymous true",
      "persistence false",
      `listener ${port} 127.0.0.1`,
      "connection site",
      `address 127.0.0.1:${tidewire}`,
      "topic # both 1",
      `bridge_protocol_version ${version}`,
      "restart_timeout 1",
    ];
    writeFileSync(config, `${lines.join("\n")}\n`);
    const notified = await mosquittoSub(tidewire, ["-t", "$SYS/broker/connection/#", "-F", "got %p", "-C", "1"]);
    const bridge = new Program(peerPath("mosquitto"), ["-c", config]);
    try {
      await notified.exited;
      expect(notified.stdout).toContain("got 1");
      const here = await mosquittoSub(tidewire, ["-q", "1", "-t", "to/#", "-F", "got %t %p", "-C", "2"]);
      const there = await mosquittoSub(port, ["-q", "1", "-t", "to/#", "-F", "got %t %p", "-C", "2"]);
      // Retained, so that it waits for the subscription that the bridge is about to make.
      await mosquittoPub(tidewire, ["-q", "1", "-r", "-t", "to/there", "-m", "one"]);
      await mosquittoPub(port, ["-q", "1", "-t", "to/here", "-m", "two"]);
      await Promise.all([here.exited, there.exited]);
      for (const subscriber of [here, there]) {
        const got = subscriber.stdout.filter((line) => line.startsWith("got ")).sort();
        expect(got).toEqual(["got to/here two", "got to/there one"]);
      }
    } finally {
      await bridge.stop();
      await server.program.stop();
    }
  });
});
