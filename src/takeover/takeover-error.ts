/** The metadata of an Iggy data directory cannot be taken over; the message names the entry, its place and the reason. */
export class TakeoverError extends Error {
  override readonly name = "TakeoverError";
  /** Number of the entry in its file, counting from 0. */
  readonly entryIndex: number;
  /** Byte position at which the entry starts. */
  readonly position: number;
  readonly reason: string;

  constructor(entry: { readonly index: number; readonly position: number }, reason: string, options?: ErrorOptions) {
    super(`entry ${entry.index} of the Iggy metadata log, at byte ${entry.position}: ${reason}`, options);
    this.entryIndex = entry.index;
    this.position = entry.position;
    this.reason = reason;
  }
}

/** What a caught value says. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
