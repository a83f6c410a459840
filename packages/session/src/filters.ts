/** A shared subscription: `$share/{group}/{filter}` (MQTT 5.0, 4.8.2). */
export function isShared(filter: string): boolean {
  return filter.startsWith("$share/");
}

export function hasWildcard(filter: string): boolean {
  return filter.includes("#") || filter.includes("+");
}
