import type { Options } from "./arguments.ts";
import type { Attack } from "./attack.ts";
import { access } from "./attacks/access.ts";
import { accessFiles } from "./attacks/access-files.ts";
import { addresses } from "./attacks/addresses.ts";
import { availability } from "./attacks/availability.ts";
import { data } from "./attacks/data.ts";
import { disk } from "./attacks/disk.ts";
import { framing } from "./attacks/framing.ts";
import { handshake } from "./attacks/handshake.ts";
import { operation } from "./attacks/operation.ts";
import { passwords } from "./attacks/passwords.ts";
import { properties } from "./attacks/properties.ts";
import { protocol } from "./attacks/protocol.ts";
import { state } from "./attacks/state.ts";
import { strings } from "./attacks/strings.ts";
import { websocket } from "./attacks/websocket.ts";
import { work } from "./attacks/work.ts";

/** All attacks, group by group, in the order of their numbers. */
export const ATTACKS: readonly Attack[] = [
  ...framing,
  ...strings,
  ...properties,
  ...state,
  ...work,
  ...access,
  ...accessFiles,
  ...protocol,
  ...availability,
  ...addresses,
  ...passwords,
  ...handshake,
  ...websocket,
  ...data,
  ...disk,
  ...operation,
];

export function select(
  attacks: readonly Attack[],
  { only, quick }: Pick<Options, "only" | "quick">,
): readonly Attack[] {
  const isWanted = ({ id }: Attack) =>
    only.length === 0 || only.some((wanted) => id === wanted || id.startsWith(`${wanted}.`));
  return attacks.filter((attack) => isWanted(attack) && (!quick || attack.cheap === true));
}
