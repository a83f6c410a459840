import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryDirectory } from "./paths.ts";
import { peerPath } from "./peers.ts";
import { Program } from "./program.ts";

/** Starts nginx with what stands in its `http` block, in a directory of its own. */
export function startNginx(http: string): Program {
  const directory = temporaryDirectory();
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
    .map((name) => `${name}_temp_path ${directory}/${name};`)
    .join("\n");
  const configuration = `
daemon off;
pid ${directory}/nginx.pid;
worker_processes 1;
events { worker_connections 256; }
http {
access_log off;
${temporary}
${http}
}
`;
  writeFileSync(join(directory, "nginx.conf"), configuration);
  return new Program(peerPath("nginx"), ["-p", directory, "-c", "nginx.conf", "-e", "stderr"]);
}
