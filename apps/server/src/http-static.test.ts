import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, request, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { serveStatic } from "./http-static.ts";

describe("serveStatic", () => {
  let root: string;
  let server: Server;
  let port: number;

  beforeAll(async () => {
    root = mkdtempSync(join(tmpdir(), "tidewire-static-"));
    const site = join(root, "site");
    mkdirSync(join(site, "assets"), { recursive: true });
    writeFileSync(join(root, "secret.txt"), "secret");
    writeFileSync(join(site, "index.html"), "<p>Hello</p>");
    writeFileSync(join(site, "assets/app-1a2b.js"), "start()");
    writeFileSync(join(site, "notes.unknown"), "?");
    server = createServer(serveStatic(site)).listen(0, "127.0.0.1");
    await new Promise((resolve) => server.once("listening", resolve));
    port = (server.address() as AddressInfo).port;
  });

  afterAll(() => {
    server.close();
    rmSync(root, { recursive: true });
  });

  // node:http sends the path as it is; fetch would resolve the dots itself.
  function get(path: string, options: { method?: string; headers?: Record<string, string> } = {}) {
    return new Promise<{ status: number; headers: Record<string, unknown>; body: string }>((resolve, reject) => {
      request({ host: "127.0.0.1", port, path, agent: false, ...options }, async (response) => {
        let body = "";
        for await (const chunk of response) {
          body += chunk;
        }
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body });
      })
        .on("error", reject)
        .end();
    });
  }

  it("serves the page at / and its files with their types", async () => {
    expect(await get("/")).toMatchObject({ status: 200, body: "<p>Hello</p>" });
    expect((await get("/?from=link")).status).toBe(200);
    expect((await get("/index.html")).headers["content-type"]).toBe("text/html; charset=utf-8");
    expect((await get("/assets/app-1a2b.js")).headers["content-type"]).toBe("text/javascript; charset=utf-8");
    expect((await get("/notes.unknown")).headers["content-type"]).toBe("application/octet-stream");
  });

  it("lets browsers keep hashed assets, and asks them to check the rest", async () => {
    expect((await get("/assets/app-1a2b.js")).headers["cache-control"]).toContain("immutable");
    const page = await get("/");
    expect(page.headers["cache-control"]).toBe("no-cache");
    const again = await get("/", { headers: { "if-none-match": String(page.headers.etag) } });
    expect(again).toMatchObject({ status: 304, body: "" });
  });

  it("allows no script, style or connection from elsewhere", async () => {
    for (const path of ["/", "/missing"]) {
      const { headers } = await get(path);
      const policy = String(headers["content-security-policy"]);
      expect(policy).toContain("default-src 'none'");
      expect(policy).not.toMatch(/unsafe|\*/);
      expect(headers["x-content-type-options"]).toBe("nosniff");
    }
  });

  it.each([
    "/../secret.txt",
    "/..%2fsecret.txt",
    "/%2e%2e/secret.txt",
    "/assets/../../secret.txt",
    "/..\\secret.txt",
    "//secret.txt",
    "/./index.html",
    "/assets",
    "/assets/",
    "/%00",
    "/missing",
    "*",
  ])("has nothing at %s", async (path) => {
    const { status, body } = await get(path);
    expect(status).toBe(404);
    expect(body).not.toContain("secret");
  });

  it("answers HEAD without a body and refuses other methods", async () => {
    expect(await get("/", { method: "HEAD" })).toMatchObject({ status: 200, body: "" });
    expect(await get("/", { method: "POST" })).toMatchObject({ status: 405, headers: { allow: "GET, HEAD" } });
  });
});
