/**
 * Runs `work` right after the event loop has accepted every connection that waits. A listener is best closed then: the
 * system resets what is still in its queue, and nothing can be in it but what came within these microseconds.
 */
export function afterAccepting(work: () => void): void {
  // The first comes before the loop looks at its sockets, the second right behind that look.
  setImmediate(() => setImmediate(work));
}
