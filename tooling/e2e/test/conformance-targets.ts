import { type Broker, type BrokerHooks, type BrokerOptions, createBroker } from "@tidewire/broker";
import type { BrokerHarness, RawConnection, RawDial } from "@tidewire/conformance/broker";
import { withProfiles } from "@tidewire/conformance/node";
import type { Connection, Dial } from "@tidewire/transport";
import { mockNetwork } from "@tidewire/transport-mock";

/** What a Tidewire broker with default limits offers of what a broker may offer. */
export const CAPABILITIES = [
  "anonymous",
  "empty-client-id",
  "retain",
  "shared",
  "subscription-identifiers",
  "topic-alias",
  "dollar-topics",
  "profile:limited",
  "profile:secured",
  "profile:enhanced",
];

/** The suite connects some thousand times within seconds, all of them from one address. */
const MANY_CLIENTS = {
  connectsPerSecond: 1_000_000,
  connectsPerSecondPerAddress: 1_000_000,
  failuresPerMinutePerAddress: 1_000_000,
};

const decoder = new TextDecoder();

/** The brokers that the profiles of the suite ask for, beside the plain one. */
export const PROFILE_OPTIONS: Readonly<Record<"limited" | "secured" | "enhanced", BrokerOptions>> = {
  limited: {
    limits: {
      maximumQoS: 0,
      retainAvailable: false,
      wildcardSubscriptionAvailable: false,
      sharedSubscriptionAvailable: false,
      subscriptionIdentifierAvailable: false,
      ...MANY_CLIENTS,
    },
  },
  secured: { hooks: securedHooks(), limits: MANY_CLIENTS },
  enhanced: { hooks: enhancedHooks(), limits: MANY_CLIENTS },
};

function securedHooks(): BrokerHooks {
  return {
    authenticate: ({ username, password }) =>
      username === "user" && decoder.decode(password) === "password"
        ? true
        : { reasonCode: 0x86, reasonString: "User name and password are not known here." },
    authorizePublish: (_client, { topic }) =>
      topic.endsWith("denied") ? { reasonCode: 0x87, reasonString: "This topic is not yours to publish to." } : true,
  };
}

function enhancedHooks(): BrokerHooks {
  return {
    authenticateStep: ({ method, data, memory }) => {
      if (method !== "conformance") {
        return { outcome: "refuse", reasonCode: 0x8c };
      }
      if (memory.get("challenged") !== true) {
        memory.set("challenged", true);
        return { outcome: "continue", data: new TextEncoder().encode("challenge") };
      }
      memory.clear();
      return decoder.decode(data) === "response" ? { outcome: "success" } : { outcome: "refuse", reasonCode: 0x87 };
    },
  };
}

/** A broker and the way to it. */
export interface RunningBroker {
  readonly dial: RawDial;
  close(): Promise<void>;
}

/** Starts the plain broker and one for each profile. */
export async function startWithProfiles(
  start: (options: BrokerOptions) => Promise<RunningBroker>,
): Promise<RunningBroker & { harness(): BrokerHarness }> {
  const plain = await start({ limits: MANY_CLIENTS });
  const profiles = new Map<string, RunningBroker>();
  for (const [name, options] of Object.entries(PROFILE_OPTIONS)) {
    profiles.set(name, await start(options));
  }
  const dials = new Map([...profiles].map(([name, broker]) => [name, broker.dial]));
  const dial = withProfiles(plain.dial, dials);
  let runs = 0;
  return {
    dial,
    harness: () => {
      runs += 1;
      return { dial, prefix: `tw${(runs % 1_296).toString(36)}` };
    },
    close: async () => {
      for (const broker of [plain, ...profiles.values()]) {
        await broker.close();
      }
    },
  };
}

/** A broker behind a network in memory, whose virtual clock follows the real one. */
export async function startOverMock(
  options: BrokerOptions,
  chunking: "as-sent" | "random" = "as-sent",
): Promise<RunningBroker> {
  const network = mockNetwork({ transcript: false, chunking });
  const { scheduler } = network;
  const broker: Broker = createBroker({ sysIntervalMs: 200, ...options, scheduler, wallClock: () => Date.now() });
  await broker.start();
  await broker.listen(network.listen);
  let last = performance.now();
  let behindMs = 0;
  const clock = setInterval(() => {
    const now = performance.now();
    behindMs += now - last;
    last = now;
    // After a stall of this process the broker's clock catches up in steps, instead of jumping past what waits to be read;
    // in larger ones where the machine is so busy that small ones would never get there.
    const step = Math.min(behindMs, Math.max(50, behindMs / 4));
    behindMs -= step;
    scheduler.advance(step);
  }, 1);
  return {
    dial: rawDial(network.dial),
    close: async () => {
      const closing = broker.close();
      scheduler.advance(10_000);
      await closing;
      clearInterval(clock);
    },
  };
}

/** A Tidewire transport as the suite's byte stream. */
export function rawDial(dial: Dial): RawDial {
  return async () => rawConnection(await dial());
}

export function rawConnection(connection: Connection): RawConnection {
  return {
    start: ({ onData, onClose }) => connection.start({ onData, onDrain: () => {}, onClose: () => onClose() }),
    send: (bytes) => void connection.send([bytes]),
    close: () => connection.close(),
  };
}
