// Which shard a connection should live on. Sends and polls that name a partition say where their work is done; when several
// in a row are done on the same other shard, the connection moves there, and from then on nothing is forwarded. A connection
// that goes back and forth needs longer and longer runs, so that it soon stays where it is and is forwarded instead.

/** Requests in a row for one other shard before the first move: a move costs about as much as a few forwarded requests. */
const firstRunLength = 4;
const longestRunLength = 65_536;

export class Affinity {
  #candidate: number | undefined;
  #runLength = 0;
  #runLengthNeeded: number;

  /** `moves`: how often the connection has moved before. */
  constructor(moves: number) {
    this.#runLengthNeeded = Math.min(firstRunLength * 2 ** Math.min(moves, 20), longestRunLength);
  }

  /** A request that names its partition is done on `shardId`; undefined: on the connection's own shard. */
  note(shardId: number | undefined): void {
    if (shardId !== undefined && shardId === this.#candidate) {
      this.#runLength++;
      return;
    }
    this.#candidate = shardId;
    this.#runLength = shardId === undefined ? 0 : 1;
  }

  /** Shard to move to now, if any. */
  target(): number | undefined {
    return this.#runLength >= this.#runLengthNeeded ? this.#candidate : undefined;
  }

  /** The move failed: the connection stays. */
  stay(): void {
    this.#runLengthNeeded = Number.POSITIVE_INFINITY;
  }
}
