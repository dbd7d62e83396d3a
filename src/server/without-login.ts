// The clients of one shard that are not logged in, by where they come from, the oldest first: who is closed when there are too
// many of them, or when one takes too long.
import type { Session } from "./session.ts";

interface Waiting {
  readonly sinceMs: number;
  readonly close: () => void;
}

export class WithoutLogin {
  readonly #bySource = new Map<string, Map<Session, Waiting>>();

  add(source: string, session: Session, waiting: Waiting): void {
    const sessions = this.#bySource.get(source) ?? new Map<Session, Waiting>();
    this.#bySource.set(source, sessions);
    sessions.set(session, waiting);
  }

  delete(source: string, session: Session): void {
    const sessions = this.#bySource.get(source);
    if (sessions?.delete(session) === true && sessions.size === 0) this.#bySource.delete(source);
  }

  /** Closes the oldest of `source`, or of the source with the most; false if there is none. */
  closeOldest(source?: string): boolean {
    const sessions = source === undefined ? this.#largest() : this.#bySource.get(source);
    const [oldest] = sessions?.values() ?? [];
    oldest?.close();
    return oldest !== undefined;
  }

  /** Closes all that have been there since before `beforeMs`; how many. */
  closeOlder(beforeMs: number): number {
    const late: Waiting[] = [];
    for (const sessions of this.#bySource.values()) {
      for (const waiting of sessions.values()) {
        if (waiting.sinceMs >= beforeMs) break;
        late.push(waiting);
      }
    }
    for (const { close } of late) close();
    return late.length;
  }

  #largest(): Map<Session, Waiting> | undefined {
    let found: Map<Session, Waiting> | undefined;
    for (const sessions of this.#bySource.values()) {
      if (found === undefined || sessions.size > found.size) found = sessions;
    }
    return found;
  }
}
