import { reasonCodeName } from "@tidewire/codec";
import type { NoticeSubject } from "../notices/index.ts";
import type { ConnectedClient } from "./client.ts";

/** Whom a notice is about. */
export function subjectOf({ info }: Pick<ConnectedClient, "info">): NoticeSubject {
  const { clientId, username, connection } = info;
  return { clientId, username, address: connection.remoteAddress };
}

/** A reason code as operators find it in the specification: `0x87 Not authorized`. */
export function reasonText(reasonCode: number): string {
  const words = (reasonCodeName(reasonCode) ?? "unknown").replace(/(?<=[a-z0-9])(?=[A-Z])/g, " ");
  return `0x${reasonCode.toString(16).padStart(2, "0")} ${words.slice(0, 1)}${words.slice(1).toLowerCase()}`;
}
