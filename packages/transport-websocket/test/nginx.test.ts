import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Connection, Listener } from "@tidewire/transport";
import { webSocket, webSocketListener } from "@tidewire/transport-websocket/node";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Certificate, certificate } from "../../transport-tcp/test/certificates.ts";
import { launchChromium, missingChromium } from "./browser/chromium.ts";
import { Observed, until } from "./support.ts";

const program = "/usr/sbin/nginx";
/** In continuous integration a missing program is a failure, not a reason. */
const missing = existsSync(program) || process.env.CI === "true" ? undefined : `no ${program}`;

/** nginx in front of a port, with TLS: as it is deployed, but for the short times. */
class Nginx {
  readonly url: string;
  readonly #directory: string;
  readonly #process: ChildProcess;

  private constructor(port: number, directory: string) {
    this.url = `wss://127.0.0.1:${port}/mqtt`;
    this.#directory = directory;
    this.#process = spawn(program, ["-p", directory, "-c", "nginx.conf", "-e", "stderr"], { stdio: "ignore" });
  }

  static async start(target: string, { cert, key }: Certificate): Promise<Nginx> {
    const directory = mkdtempSync(join(tmpdir(), "tidewire-nginx-"));
    const port = await freePort();
    writeFileSync(join(directory, "cert.pem"), cert);
    writeFileSync(join(directory, "key.pem"), key);
    writeFileSync(join(directory, "nginx.conf"), configuration(port, target, directory));
    const proxy = new Nginx(port, directory);
    await untilReachable(proxy.url, cert);
    return proxy;
  }

  /** New workers for new connections; the old ones end their connections half a second later. */
  reload(): void {
    this.#process.kill("SIGHUP");
  }

  async stop(): Promise<void> {
    const ended = new Promise((resolve) => {
      this.#process.once("exit", resolve);
    });
    this.#process.kill("SIGTERM");
    await ended;
    rmSync(this.#directory, { recursive: true });
  }
}

function configuration(port: number, target: string, directory: string): string {
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
    .map((name) => `${name}_temp_path ${directory}/${name};`)
    .join("\n");
  return `
daemon off;
pid ${directory}/nginx.pid;
worker_processes 1;
worker_shutdown_timeout 500ms;
events { worker_connections 256; }
http {
  access_log off;
  ${temporary}
  server {
    listen 127.0.0.1:${port} ssl;
    ssl_certificate ${directory}/cert.pem;
    ssl_certificate_key ${directory}/key.pem;
    location /mqtt {
      proxy_pass http://${target};
      proxy_http_version 1.1;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection "upgrade";
      proxy_set_header Host $host;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      proxy_read_timeout 2s;
    }
  }
}
`;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => {
    server.close(resolve);
  });
  return port;
}

async function untilReachable(url: string, ca: string): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt += 1) {
    try {
      (await webSocket(url, { tls: { ca } })()).abort();
      return;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
  throw new Error("nginx did not start");
}

describe.skipIf(missing !== undefined)(`behind nginx ${missing ?? ""}`, () => {
  const accepted: Connection[] = [];
  let certificateOfProxy: Certificate;
  let listener: Listener;
  let proxy: Nginx;
  beforeAll(async () => {
    certificateOfProxy = await certificate("proxy");
    // The page in Chromium is blank and has no origin of its own.
    const origins = ["null"];
    listener = await webSocketListener({ host: "127.0.0.1", origins, trustedProxies: ["127.0.0.1"] })((connection) => {
      accepted.push(connection);
      connection.allowInput(1_048_576);
      connection.start({ onData: (chunk) => connection.send([chunk]), onDrain() {}, onClose() {} });
    });
    proxy = await Nginx.start(new URL(listener.addresses[0] ?? "").host, certificateOfProxy);
  });
  afterAll(async () => {
    await proxy?.stop();
    await listener?.close();
  });

  const dial = (): Promise<Connection> => webSocket(proxy.url, { tls: { ca: certificateOfProxy.cert } })();

  async function echo(observed: Observed): Promise<void> {
    const before = observed.bytes.length;
    observed.connection.send([Buffer.alloc(300_000, 1)]);
    await until(() => observed.bytes.length === before + 300_000);
  }

  it("carries wss from Node, and tells the client's address", async () => {
    const observed = new Observed(await dial());
    await echo(observed);
    expect(observed.connection.info).toMatchObject({ transport: "wss", protocol: "mqtt" });
    expect(accepted.at(-1)?.info).toMatchObject({ transport: "ws", remoteAddress: "127.0.0.1" });
    observed.connection.close();
    await until(() => observed.closeInfo !== undefined);
    expect(observed.closeInfo).toMatchObject({ initiator: "local", clean: true });
  });

  it("lets a client reconnect over a reload", async () => {
    const before = new Observed(await dial());
    await echo(before);
    proxy.reload();
    await until(() => before.closeInfo !== undefined);
    expect(before.closeInfo).toMatchObject({ initiator: "remote", clean: false, error: { code: "reset" } });
    const after = new Observed(await dial());
    await echo(after);
    after.connection.abort();
  });

  it("tells both ends when an idle connection is cut", async () => {
    const observed = new Observed(await dial());
    await echo(observed);
    await until(() => observed.closeInfo !== undefined);
    expect(observed.closeInfo).toMatchObject({ initiator: "remote", clean: false, error: { code: "reset" } });
  });

  it.skipIf(missingChromium !== undefined)("carries wss from Chromium", { timeout: 60_000 }, async () => {
    const browser = await launchChromium();
    const page = await (await browser.newContext({ ignoreHTTPSErrors: true })).newPage();
    const echoed = await page.evaluate(`new Promise((resolve, reject) => {
      const ws = new WebSocket("${proxy.url}", "mqtt");
      ws.binaryType = "arraybuffer";
      ws.onopen = () => ws.send(new Uint8Array(200000));
      let received = 0;
      ws.onmessage = (event) => {
        received += event.data.byteLength;
        if (received === 200000) resolve(received);
      };
      ws.onclose = (event) => reject(new Error("closed " + event.code));
    })`);
    expect(echoed).toBe(200_000);
    await browser.close();
  });
});
