import { describe, expect, it } from "vitest";
import { isAlert, parseAlert } from "./alert.ts";

describe("parseAlert", () => {
  it("reads what the device agent sends", () => {
    const payload = JSON.stringify({ id: "7", text: "cpu at 97 %, above 90 %", at: 1000, value: 97, threshold: 90 });
    expect(parseAlert("alerts/pi/cpu", payload, 5000)).toEqual({
      id: "7",
      device: "pi",
      name: "cpu",
      text: "cpu at 97 %, above 90 %",
      at: 1000,
    });
  });

  it.each(["Water!", "", "[1, 2", "null", "42", '{"text": 7, "at": "now"}', '{"text": 7, "at": 1e300}'])(
    "shows the payload %j as it is",
    (payload) => {
      expect(parseAlert("alerts/cellar/water/high", payload, 5000)).toMatchObject({
        device: "cellar",
        name: "water/high",
        text: payload,
        at: 5000,
      });
    },
  );

  it("keeps nothing of unbounded length", () => {
    const alert = parseAlert("alerts/a/b", JSON.stringify({ id: "i".repeat(9999), text: "t".repeat(9999) }), 0);
    expect(alert?.id).toHaveLength(100);
    expect(alert?.text).toHaveLength(300);
    const long = parseAlert(`alerts/${"d".repeat(5000)}/${"n".repeat(5000)}`, `{"text":"${"t".repeat(99_999)}"}`, 0);
    expect(JSON.stringify(long).length).toBeLessThan(1000);
  });

  it.each(["alerts", "alerts/a", "alerts//b", "alarms/a/b"])("leaves %s alone", (topic) => {
    expect(parseAlert(topic, "x", 0)).toBeUndefined();
  });
});

it("isAlert knows alerts from whatever else storage may hold", () => {
  expect(isAlert(parseAlert("alerts/a/b", "x", 0))).toBe(true);
  for (const other of [null, 1, "x", {}, { id: "1", device: "d", name: "n", text: 1, at: 0 }]) {
    expect(isAlert(other)).toBe(false);
  }
});
