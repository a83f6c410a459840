import { defineConfig } from "vite";

export default defineConfig({
  // Relative, so that the built page works under any path.
  base: "./",
  build: {
    target: "es2022",
    // Every browser of that age has it; the polyfill would be dead weight.
    modulePreload: { polyfill: false },
    // A file each: the server's Content-Security-Policy allows no inline data but the icon's.
    assetsInlineLimit: 0,
  },
  server: {
    // `vite` beside a running `tidewire demo`; the broker sees its own origin.
    proxy: { "/mqtt": { target: "ws://127.0.0.1:8080", ws: true, rewriteWsOrigin: true } },
  },
});
