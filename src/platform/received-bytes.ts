// How many bytes have arrived on a TCP connection, as the system counts them: the runtime keeps a message until it is whole,
// and says nothing of it before. A connection is known by its two ends, since the runtime tells no descriptors.
import { readdirSync } from "node:fs";
import { native } from "./ffi.ts";
import { canonical, ownPort, peerOf, receivedBy, type SystemCalls } from "./socket-facts.ts";

/** Of the connections to one port of this process. */
export class ReceivedBytes {
  readonly #port: number;
  /** Descriptors by the other end, as far as they were looked for. */
  #descriptors = new Map<string, number>();

  constructor(port: number) {
    this.#port = port;
  }

  /**
   * By the other end, `ip:port` or `[ip]:port`. Those that cannot be found are missing: they are gone, or this is no Linux.
   * Descriptors are looked for only when one of these is not known yet.
   */
  of(addresses: Iterable<string>): Map<string, number> {
    const calls = native;
    const found = new Map<string, number>();
    if (calls === undefined) return found;
    let hasLooked = false;
    for (const peer of addresses) {
      const key = canonical(peer);
      if (!this.#isOpen(calls, key) && !hasLooked) {
        this.#look(calls);
        hasLooked = true;
      }
      const fd = this.#descriptors.get(key);
      const received = fd === undefined ? undefined : receivedBy(calls, fd);
      if (received !== undefined) found.set(peer, received);
    }
    return found;
  }

  /** A descriptor may mean another connection by now. */
  #isOpen(calls: SystemCalls, key: string): boolean {
    const fd = this.#descriptors.get(key);
    return fd !== undefined && peerOf(calls, fd) === key;
  }

  #look(calls: SystemCalls): void {
    this.#descriptors = new Map();
    for (const name of readdirSync("/proc/self/fd")) {
      const fd = Number(name);
      if (ownPort(calls, fd) !== this.#port) continue;
      const peer = peerOf(calls, fd);
      if (peer !== undefined) this.#descriptors.set(peer, fd);
    }
  }
}
