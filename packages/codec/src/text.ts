import type { ProtocolVersion } from "./packets.ts";
import { fail, stringHasNull, stringMalformed, topicHasWildcard } from "./rules.ts";

/** Refuses what no string, or no topic name, may have in it. */
export function checkText(text: string, where: { readonly version: ProtocolVersion }, isTopicName: boolean): void {
  // With the flag u, a surrogate is found only when it stands alone.
  if (/\p{Cs}/u.test(text)) {
    fail(stringMalformed, where);
  }
  if (text.includes("\0")) {
    fail(stringHasNull, where);
  }
  if (isTopicName && /[+#]/.test(text)) {
    fail(topicHasWildcard, where);
  }
}
