import type { EncodedPacket, QoS } from "@tidewire/codec";
import { VirtualScheduler } from "@tidewire/transport-mock";
import { local } from "../src/cluster/index.ts";
import { type BrokerHooks, type ClientInfo, NO_CONNECTION } from "../src/hooks/index.ts";
import { type BrokerLimits, DEFAULT_LIMITS } from "../src/limits.ts";
import { silentLogger } from "../src/logger.ts";
import type { Delivery, IncomingPublication } from "../src/messages/index.ts";
import { type BrokerSettings, Parts } from "../src/parts.ts";
import type { SessionConnection } from "../src/sessions/index.ts";
import { memoryStore } from "../src/storage/index.ts";

interface PartsOptions extends Partial<Omit<BrokerSettings, "hooks" | "limits">> {
  readonly hooks?: BrokerHooks;
  readonly limits?: Partial<BrokerLimits>;
}

/** All parts of a broker in virtual time, for tests of one of them and its neighbours. */
export function partsOf({ hooks, limits, ...settings }: PartsOptions = {}): {
  parts: Parts;
  scheduler: VirtualScheduler;
} {
  const scheduler = new VirtualScheduler();
  const parts = new Parts({
    scheduler,
    store: memoryStore(),
    hooks: hooks === undefined ? [] : [hooks],
    limits: { ...DEFAULT_LIMITS, ...limits },
    wallClock: () => 1_700_000_000_000 + scheduler.now(),
    logger: silentLogger,
    cluster: local(),
    sessionsHaveOwners: true,
    checkRetainedPublisher: false,
    ...settings,
  });
  return { parts, scheduler };
}

export function clientNamed(clientId: string, changes: Partial<ClientInfo> = {}): ClientInfo {
  return { clientId, version: 5, username: undefined, connection: NO_CONNECTION, ...changes };
}

/** A connection of which a test says what it takes, and that notes what it is given. */
export class FakeConnection implements SessionConnection {
  /** QoS up to this goes out. */
  takes = 2;
  encoding = true;
  /** `qos topic`, with `encoded` where it was. */
  readonly sent: string[] = [];
  readonly deliveries: Delivery[] = [];
  /** Reason codes it was ended with. */
  readonly ended: number[] = [];
  readonly failures: unknown[] = [];
  /** What ends with it. */
  onDisconnect: ((reasonCode: number) => void) | undefined = undefined;

  canSend(qos: QoS): boolean {
    return qos <= this.takes;
  }

  encodes(): boolean {
    return this.encoding;
  }

  sendQoS0(publication: IncomingPublication, _: EncodedPacket): void {
    this.sent.push(`0 ${publication.topic} at once`);
  }

  send(delivery: Delivery, encoded: EncodedPacket | undefined): void {
    this.deliveries.push(delivery);
    this.sent.push(`${delivery.qos} ${delivery.topic}${encoded === undefined ? "" : " encoded"}`);
  }

  disconnect(reasonCode: number): void {
    this.ended.push(reasonCode);
    this.onDisconnect?.(reasonCode);
  }

  fail(error: unknown): void {
    this.failures.push(error);
  }
}
