import type { Packet, PacketWriter } from "@tidewire/codec";
import type { InflightStore, Protocol, SavedInflight } from "@tidewire/session";
import type { Connection } from "@tidewire/transport";
import type { Side } from "./schedule.ts";

/** Where a saboteur gets between a session and what it works with. All are asked anew for each connection or process. */
export interface Sabotage {
  readonly name: string;
  writer?(writer: PacketWriter, side: Side, session: () => Protocol): PacketWriter;
  /** The packet that reaches the session instead; undefined for none. */
  receive?(packet: Packet, side: Side): Packet | undefined;
  store?(store: InflightStore, side: Side): InflightStore;
  saved?(saved: SavedInflight, side: Side): SavedInflight;
  connection?(connection: Connection, side: Side): Connection;
  /** Wraps the whole session last. */
  session?<S extends Protocol>(session: S, side: Side): S;
}
