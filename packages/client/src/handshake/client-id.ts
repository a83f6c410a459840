export function randomClientId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(10));
  // 23 characters of digits and letters are what every server accepts [MQTT-3.1.3-5].
  return `tw${Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("")}`;
}
