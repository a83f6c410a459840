import type { Connection } from "@tidewire/transport";
import type { MockNetwork, Random } from "@tidewire/transport-mock";
import type { Disk } from "./disk.ts";
import type { Letter } from "./message.ts";
import type { Sabotage } from "./sabotage.ts";
import type { Config, Side, Terms } from "./schedule.ts";

/** What a process finds around it, and tells of itself. */
export interface Environment {
  readonly config: Config;
  readonly sabotage: Sabotage | undefined;
  readonly network: MockNetwork;
  readonly random: Random;
  readonly disks: Readonly<Record<Side, Disk>>;
  readonly outboxes: Readonly<Record<Side, Letter[]>>;
  readonly letters: readonly Letter[];
  /** The client asked for a clean start, and nothing has confirmed it. */
  cleanStartOwed: boolean;
  after(ms: number, callback: () => void): void;
  broken(error: unknown): void;
  dial(): { readonly connection: Connection; readonly terms: Terms };
  /** The connection, watched, and its number. */
  tap(
    connection: Connection,
    process: { readonly side: Side; readonly alive: boolean },
  ): { readonly connection: Connection; readonly number: number };
  /** Is it no wonder that this connection times out? */
  disturbed(connection: Connection): boolean;
  handed(letter: Letter, connectionNumber: number): void;
  /** This peer's limits exclude a message that was under way. */
  givenUp(letter: Letter, packetId: number): void;
  /** The session of these messages is over: what was under way may be lost, or come twice. */
  excuse(side: Side): void;
  arrived(letter: Letter): void;
}
