import type { Refusal } from "../hooks/index.ts";

/** Why a client does not get in, for the client and in words for the operator. */
export interface Rejection extends Refusal {
  readonly why: string;
}

/** Who lets connections in: what one connection tells of itself. */
export interface Gatekeeper<Member> {
  /** Its CONNECT has come. Returned when there is no room for it, or its address comes or fails too often. */
  speaks(connection: Member): Rejection | undefined;
  /** It could not prove who it is. */
  failed(connection: Member): void;
  closed(connection: Member): void;
}
