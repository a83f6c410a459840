import { describe, expect, it } from "vitest";
import { TransportError } from "../errors.ts";
import { parseProxyHeader } from "./proxy-protocol.ts";

const signature = "0d0a0d0a000d0a515549540a";
const text = Buffer.from("PROXY TCP6 2001:db8::7 2001:db8::1 51000 1883\r\nrest");
const binary4 = Buffer.from(`${signature}2111000cc0000207c0000201c738075b`, "hex");
const binary6 = Buffer.from(
  `${signature}21210024${"20010db8000000000000000000000007"}${"20010db8000000000000000000000001"}c738075b`,
  "hex",
);
const withExtras = Buffer.from(`${signature}21110012c0000207c0000201c738075b030003aabbcc`, "hex");
const local = Buffer.from(`${signature}20000000`, "hex");

describe("parseProxyHeader", () => {
  it.each([
    ["version 1", text, text.length - 4, "[2001:db8::7]:51000"],
    ["version 1, unknown", Buffer.from("PROXY UNKNOWN ffff\r\n"), 20, undefined],
    ["version 2, IPv4", binary4, 28, "192.0.2.7:51000"],
    ["version 2, IPv6", binary6, 52, "[2001:db8::7]:51000"],
    ["version 2 with extras", withExtras, 34, "192.0.2.7:51000"],
    ["version 2, the proxy itself", local, 16, undefined],
  ])("reads %s", (_what, bytes, length, source) => {
    expect(parseProxyHeader(bytes)).toEqual({ length, source });
  });

  it("asks for more until the header is whole", () => {
    for (const bytes of [text, binary4, binary6, withExtras, local]) {
      const { length } = parseProxyHeader(bytes) ?? { length: 0 };
      for (let end = 0; end < length; end += 1) {
        expect(parseProxyHeader(bytes.subarray(0, end))).toBeUndefined();
      }
    }
  });

  it.each([
    ["another command", `${signature}2f11000cc0000207c0000201c738075b`],
    ["another version", `${signature}3111000cc0000207c0000201c738075b`],
    ["too short for its family", `${signature}21110004c0000207`],
    ["a length beyond reason", `${signature}2111ffff`],
    // Attack 52: extras whose lengths do not add up.
    ["an extra longer than the header", `${signature}21110010c0000207c0000201c738075b030005aa`],
    ["half an extra", `${signature}2111000ec0000207c0000201c738075b0300`],
  ])("refuses %s", (_what, hex) => {
    expect(() => parseProxyHeader(Buffer.from(hex, "hex"))).toThrow(TransportError);
  });

  it("answers any change of a byte with a header, a wish for more, or the error", () => {
    for (const bytes of [text, binary4, binary6, withExtras, local]) {
      for (let i = 0; i < bytes.length * 8; i += 1) {
        const changed = Buffer.from(bytes);
        changed[i >> 3] = (changed[i >> 3] ?? 0) ^ (1 << (i & 7));
        try {
          const header = parseProxyHeader(changed);
          expect(header?.length ?? 0).toBeLessThanOrEqual(changed.length);
        } catch (error) {
          expect(error).toMatchObject({ code: "protocol" });
        }
      }
    }
  });
});
