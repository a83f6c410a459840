/**
 * Runs the callback when everything that lay in the sockets has been read. A process that was stopped, or a loop that
 * was busy, finds its timers due before it has read what came in time: a deadline that concerns a peer is judged after
 * that. Two turns, since a turn may have begun to read only half of a large number of sockets.
 */
export function afterReading(callback: () => void): void {
  setImmediate(() => setImmediate(callback));
}
