import { DEFAULT_DIRECTORY, DEFAULT_HTTP_PORT, DEFAULT_LISTEN, DEFAULT_MQTT_PORT, type HelpTopic } from "./args.ts";

const STORE = `\
  --store DIR|memory   where sessions, queues and retained messages are kept
                       (default: ${DEFAULT_DIRECTORY}); memory keeps nothing over a restart
  --fsync WHEN         always: on disk before a message is acknowledged (default)
                       interval: about once a second; os: when the system likes`;

/** What `--help` prints. */
export const HELP: Readonly<Record<HelpTopic, string>> = {
  tidewire: `Tidewire, an MQTT 3.1.1 and 5.0 broker over TCP and WebSockets.

Usage: tidewire COMMAND [OPTIONS]

  serve        run the broker
  demo         run the broker, a live page in the browser and a device that feeds it
  backup DIR   copy the broker's data to DIR, also while it runs

  tidewire COMMAND --help   the options of a command
  tidewire --version        the version
`,

  serve: `Run the broker until it gets SIGINT (Ctrl-C) or SIGTERM.

Usage: tidewire serve [OPTIONS]

  -l, --listen URL     where to listen; may be repeated
                       tcp://HOST:PORT, tls://HOST:PORT, ws://HOST:PORT/PATH, wss://HOST:PORT/PATH
                       port 0 picks a free one
                       (default: ${DEFAULT_LISTEN.join(", ")})
  --tls-cert FILE      certificate chain in PEM, for tls:// and wss://
  --tls-key FILE       its private key in PEM
  --origin ORIGIN      web pages that may connect, such as https://example.org; may be
                       repeated (default: every page)
${STORE}
  --log-level LEVEL    debug, info (default), warn, error or silent; logs go to stderr
  -h, --help           this text

On stdout: "listening URL" for each listener, then "ready".

Example:
  tidewire serve --listen tcp://0.0.0.0:1883 --listen ws://0.0.0.0:8080/mqtt
`,

  demo: `Run the broker, the live page and a device agent that publishes this machine's metrics.

Usage: tidewire demo [OPTIONS]

  --http-port PORT     the page, and MQTT over WebSocket at /mqtt (default: ${DEFAULT_HTTP_PORT})
  --mqtt-port PORT     MQTT over TCP (default: ${DEFAULT_MQTT_PORT}); port 0 picks a free one
  --host ADDRESS       the address to listen on (default: 127.0.0.1, this machine only)
${STORE}
  --log-level LEVEL    debug, info, warn (default), error or silent; logs go to stderr
  -h, --help           this text
`,

  backup: `Copy the broker's data to a new directory. The broker may run meanwhile: the copy is of one moment.
To restore, start the broker with --store DIR.

Usage: tidewire backup DIR [OPTIONS]

  --store DIR          the data directory to copy (default: ${DEFAULT_DIRECTORY})
  -h, --help           this text
`,
};
