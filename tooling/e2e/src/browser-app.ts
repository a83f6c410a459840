import { createServer } from "node:http";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { ROOT } from "./paths.ts";

/** Scripts by the path that they are served at: source text, bundled for the browser from the workspace's sources. */
export type Scripts = Readonly<Record<string, string>>;

/** A small site: `/` is a page that loads `/page.js`. Listens on a free port of 127.0.0.1. */
export async function serveApp(scripts: Scripts): Promise<{ readonly url: string; close(): void }> {
  const bundles = new Map<string, string>();
  for (const [path, source] of Object.entries(scripts)) {
    bundles.set(path, await bundle(source));
  }
  const server = createServer((request, response) => {
    const path = new URL(request.url ?? "/", "http://localhost").pathname;
    const script = bundles.get(path);
    if (script !== undefined) {
      response.setHeader("content-type", "text/javascript").end(script);
    } else if (path === "/") {
      const html =
        '<!doctype html><title>test</title><link rel="icon" href="data:,"><script type="module" src="/page.js"></script>';
      response.setHeader("content-type", "text/html").end(html);
    } else {
      response.writeHead(404).end();
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { readonly port: number };
  return {
    url: `http://127.0.0.1:${port}/`,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

async function bundle(source: string): Promise<string> {
  const result = await build({
    stdin: { contents: source, resolveDir: fileURLToPath(new URL(".", import.meta.url)), loader: "ts" },
    absWorkingDir: ROOT,
    bundle: true,
    format: "esm",
    platform: "browser",
    target: "es2022",
    conditions: ["@tidewire/source"],
    write: false,
    logLevel: "error",
  });
  return result.outputFiles[0]!.text;
}
