import { TransportError, type TransportErrorCode } from "../errors.ts";

/** Turns what Node's `net`, `tls` and `http` report into a `TransportError`; one that is already stays as it is. */
export function transportError(cause: unknown, fallback: TransportErrorCode = "closed"): TransportError {
  if (cause instanceof TransportError) {
    return cause;
  }
  const systemCode = systemCodeOf(cause);
  const code = codeOf(systemCode) ?? fallback;
  const detail = systemCode ?? (cause instanceof Error ? cause.message : String(cause));
  return new TransportError(code, `${descriptions[code]} (${detail}).`, { cause });
}

/** A connect that tried several addresses reports one error for each: the first one stands for all. */
function systemCodeOf(cause: unknown): string | undefined {
  const error = cause instanceof AggregateError && !("code" in cause) ? cause.errors[0] : cause;
  const code = (error as { code?: unknown } | undefined)?.code;
  return typeof code === "string" ? code : undefined;
}

function codeOf(systemCode: string | undefined): TransportErrorCode | undefined {
  if (systemCode === undefined) {
    return undefined;
  }
  const known = codes.get(systemCode);
  if (known !== undefined) {
    return known;
  }
  if (clientCertificateAlert.test(systemCode)) {
    return "tls-client-certificate";
  }
  return systemCode.startsWith("ERR_SSL_") || systemCode.startsWith("ERR_TLS_") ? "tls-failed" : undefined;
}

const codes = new Map<string, TransportErrorCode>([
  ["ECONNREFUSED", "refused"],
  ["ENOENT", "refused"],
  ["EHOSTUNREACH", "unreachable"],
  ["ENETUNREACH", "unreachable"],
  ["ENOTFOUND", "unreachable"],
  ["EAI_AGAIN", "unreachable"],
  ["ETIMEDOUT", "timeout"],
  ["ERR_TLS_HANDSHAKE_TIMEOUT", "timeout"],
  ["EADDRINUSE", "address-in-use"],
  ["EADDRNOTAVAIL", "address-invalid"],
  ["EINVAL", "address-invalid"],
  ["ERR_SOCKET_BAD_PORT", "address-invalid"],
  ["EACCES", "not-permitted"],
  ["EPERM", "not-permitted"],
  ["ECONNRESET", "reset"],
  ["EPIPE", "reset"],
  ["ECONNABORTED", "reset"],
  ["CERT_HAS_EXPIRED", "tls-expired"],
  ["CERT_NOT_YET_VALID", "tls-expired"],
  ["ERR_TLS_CERT_ALTNAME_INVALID", "tls-wrong-host"],
  ["DEPTH_ZERO_SELF_SIGNED_CERT", "tls-untrusted"],
  ["SELF_SIGNED_CERT_IN_CHAIN", "tls-untrusted"],
  ["UNABLE_TO_GET_ISSUER_CERT", "tls-untrusted"],
  ["UNABLE_TO_GET_ISSUER_CERT_LOCALLY", "tls-untrusted"],
  ["UNABLE_TO_VERIFY_LEAF_SIGNATURE", "tls-untrusted"],
  ["CERT_SIGNATURE_FAILURE", "tls-untrusted"],
  ["CERT_UNTRUSTED", "tls-untrusted"],
  ["CERT_REVOKED", "tls-untrusted"],
  ["CERT_CHAIN_TOO_LONG", "tls-untrusted"],
  ["INVALID_CA", "tls-untrusted"],
  ["INVALID_PURPOSE", "tls-untrusted"],
]);

/**
 * What a server answers that wants another certificate from the client, or one at all: the alerts about certificates of
 * TLS 1.3 and 1.2 (a client that judges the server's certificate never gets here: its own verdict comes first), and
 * the same seen from the server.
 */
const clientCertificateAlert =
  /^ERR_SSL_.*(ALERT_(BAD_CERTIFICATE|CERTIFICATE_|UNKNOWN_CA|UNSUPPORTED_CERTIFICATE)|PEER_DID_NOT_RETURN_A_CERTIFICATE)/;

const descriptions: Record<TransportErrorCode, string> = {
  aborted: "Cancelled",
  refused: "Nobody accepts connections there",
  unreachable: "The host cannot be reached",
  timeout: "It took too long",
  "address-in-use": "The address is in use",
  "address-invalid": "The address cannot be used here",
  "not-permitted": "Not permitted",
  reset: "The connection broke",
  "tls-untrusted": "The certificate is not from a trusted authority",
  "tls-expired": "The certificate is not valid at this time",
  "tls-wrong-host": "The certificate is for another host",
  "tls-client-certificate": "The other side wants a client certificate that it trusts",
  "tls-failed": "The TLS handshake failed",
  "tls-credentials": "Certificate and key cannot be used",
  "handshake-failed": "The opening handshake failed",
  "subprotocol-refused": "No common subprotocol",
  "origin-refused": "The origin is not allowed",
  "host-refused": "The host is not one of this server",
  "path-refused": "Nothing is listening on this path",
  "message-too-big": "A message was too big",
  "input-limit": "The peer sent more of an unfinished message than is allowed",
  "text-frame": "A text frame came where only binary ones are allowed",
  protocol: "The peer broke the protocol of the transport",
  crowded: "Too many handshakes are pending",
  probe: "Connected and left without a byte",
  "callback-threw": "A callback threw",
  misuse: "Called in a state that does not allow it",
  closed: "The connection ended",
};
