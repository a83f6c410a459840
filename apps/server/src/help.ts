import { DEFAULT_DIRECTORY, DEFAULT_HTTP_PORT, DEFAULT_LISTEN, DEFAULT_MQTT_PORT, type HelpTopic } from "./args.ts";
import { LIMIT_HELP, MAIN_LIMIT_HELP } from "./limit-options.ts";

const STORE = `\
  --store DIR|memory   where sessions, queues and retained messages are kept
                       (default: ${DEFAULT_DIRECTORY}); memory keeps nothing over a restart
  --fsync WHEN         always: on disk before a message is acknowledged (default)
                       interval: about once a second; os: when the system likes`;

/** What `--help` prints. */
export const HELP: Readonly<Record<HelpTopic, string>> = {
  tidewire: `Tidewire, an MQTT 3.1.1 and 5.0 broker over TCP and WebSockets.

Usage: tidewire COMMAND [OPTIONS]

  serve              run the broker
  passwd FILE USER   set a user's password in a users file
  backup DIR         copy the broker's data to DIR, also while it runs
  check-store DIR    read all of a broker's data, and say whether it is damaged
  repair DIR TO      save what can be read of damaged data into a new directory
  delete-session DIR CLIENT_ID
                     end a session for good, with all that waits in it
  demo               run the broker, a live page in the browser and a device that feeds it

  tidewire COMMAND --help   the options of a command
  tidewire help limits      every limit that "serve" can keep
  tidewire --version        the version
`,

  serve: `Run the broker until it gets SIGINT (Ctrl-C) or SIGTERM.

Usage: tidewire serve [OPTIONS]

  -l, --listen URL     where to listen; may be repeated
                       tcp://HOST:PORT, tls://HOST:PORT, ws://HOST:PORT/PATH, wss://HOST:PORT/PATH
                       port 0 picks a free one; WebSockets of one port may have several paths
                       (default: ${DEFAULT_LISTEN.join(", ")})
  --tls-cert FILE      certificate chain in PEM, for tls:// and wss://
  --tls-key FILE       its private key in PEM
  --tls-client-ca FILE clients have to show a certificate of an authority in FILE (PEM)
  --origin ORIGIN      web pages that may connect, such as https://example.org; may be repeated;
                       "*" for every page (default: pages of the listener's own host and port)
  --host NAME          a name of this machine, besides localhost, that clients may use for a WebSocket
                       listener on loopback; may be repeated; with --origin any name will do
${STORE}
  --log-level LEVEL    debug, info (default), warn, error or silent; logs go to stderr
  -h, --help           this text

Who may connect, and do what (by default: everybody, everything):
  --users FILE         only the users in FILE, with their passwords: tidewire passwd --help
  --allow-anonymous    beside them, clients that give no user name
  --client-id PATTERN  client identifiers that they may take; %u: user name, %n: name in the client's
                       certificate, *: anything; may be repeated (default: any, as long as no other
                       user has a session with it)
  --acl FILE           what they may publish (write) and receive (read), in lines as Mosquitto's
                       acl_file has them; what no line allows is refused
                         topic ACCESS FILTER     for clients without a user name
                         user NAME               the topic lines after it are for this user
                         pattern ACCESS FILTER   for everybody; %u: user name, %c: client id
                       ACCESS is read, write, readwrite or deny
  --check-retained     send a retained message only while its publisher may still publish it

On SIGHUP certificate, users and rules are read again; when one of the files is bad, nothing changes.

Behind a proxy:
  --trusted-proxy ADDRESS   a proxy, or a block such as 10.0.0.0/8, whose X-Forwarded-For is believed;
                            may be repeated (default: nobody)
  --proxy-protocol          these proxies send a PROXY header (version 1 or 2) to tcp:// and tls://
  --ws-ping SECONDS         ping WebSockets, for proxies that cut what is silent (default: 0, never)
  --keep-alive SECONDS      below the time after which a proxy cuts what is silent

Limits, with their defaults (all of them: tidewire help limits):
${MAIN_LIMIT_HELP}

On stdout: "listening URL" for each listener, then "ready".

Example:
  tidewire passwd users.txt gauge-7
  tidewire serve --users users.txt --tls-cert chain.pem --tls-key key.pem --listen tls://0.0.0.0:8883
`,

  limits: `Usage: tidewire serve [LIMITS]

Each limit with its default. What breaks one is refused with the reason code that MQTT has for it.

${LIMIT_HELP}
`,

  passwd: `Set a user's password in a users file. The file is made when it is not there; a user that it does
not have is added. To remove one, delete the line. Lines that begin with # are for you.

Usage: tidewire passwd FILE USER

The password is asked for; when standard input is no terminal, its first line is the password.
What is kept is a salted scrypt hash. A running broker reads the file again on SIGHUP.

  -h, --help           this text
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

  "check-store": `Read everything in a data directory that no broker uses: each page, each record, and what belongs together.
Nothing is changed. Prints what is there and what is damaged.

Usage: tidewire check-store DIR

  -h, --help           this text

Exit code: 0 when nothing is damaged, 1 when something is, 2 when DIR cannot be read.
`,

  repair: `Save what can be read of a damaged data directory into a new one, and say what was lost. DIR is not changed.
A backup is better where there is a recent one. Start the broker on the result with --store TO.

Usage: tidewire repair DIR TO

  -h, --help           this text

Exit code: 0 when a directory was made, whatever was lost; 2 when nothing could be saved.
`,

  "delete-session": `End a session in a data directory for good: its subscriptions, and all messages that wait in it.
For a client identifier that somebody else has taken. Stop the broker first.

Usage: tidewire delete-session DIR CLIENT_ID

  -h, --help           this text
`,
};
