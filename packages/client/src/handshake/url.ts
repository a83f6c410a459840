import { ClientError } from "../errors/index.ts";

/** Throws `invalid-argument` for a URL that no platform opens a WebSocket to. */
export function checkUrl(url: string | URL): string {
  const text = String(url);
  // The URL may hold credentials, so it is not repeated.
  if (!/^wss?:[^#]+$/i.test(text) || !URL.canParse(text)) {
    throw new ClientError(
      "invalid-argument",
      "The URL has to be like wss://host/path; for others pass a transport such as tcp().",
    );
  }
  return text;
}
