// Which lane a message takes: the partition that it names, that of its key, or the next in turn, batch by batch.

import type { Partitioning } from "../../protocol/partitioning.ts";
import { Lane } from "./lane.ts";
import type { ProducerSettings } from "./options.ts";
import { partitionOfKey } from "./outgoing.ts";

export class Lanes {
  readonly #settings: Pick<ProducerSettings, "partitioner">;
  readonly #byPartition = new Map<number, Lane>();
  /** Where the server chooses. */
  readonly #byKey = new Map<string, Lane>();
  readonly #balanced = new Lane({ kind: "balanced" });
  /** Whose turn it is for messages without a key; each producer begins elsewhere. */
  #turn = Math.floor(Math.random() * 2 ** 20);
  #turnLane: Lane | undefined;

  constructor(settings: Pick<ProducerSettings, "partitioner">) {
    this.#settings = settings;
  }

  /** `partitionsCount`: undefined where the server chooses. */
  laneOf(partitionId: number | undefined, key: Uint8Array | undefined, partitionsCount: number | undefined): Lane {
    if (partitionId !== undefined) return this.#partition(partitionId);
    if (partitionsCount === undefined) return key === undefined ? this.#balanced : this.#key(key);
    const { partitioner } = this.#settings;
    const chosen = partitioner?.({ key }, partitionsCount);
    if (chosen !== undefined) {
      const isThere = Number.isInteger(chosen) && chosen >= 0 && chosen < partitionsCount;
      if (!isThere) throw new RangeError(`the partitioner chose ${chosen} of ${partitionsCount} partitions`);
      return this.#partition(chosen);
    }
    if (key !== undefined && partitioner === undefined) return this.#partition(partitionOfKey(key, partitionsCount));
    return this.#next(partitionsCount);
  }

  /** A lane of a key that has nothing more to do is forgotten: there may be any number of keys. */
  forget(lane: Lane): void {
    const { partitioning } = lane;
    if (partitioning.kind !== "key" || lane.hasWork || lane.underWayCount > 0) return;
    this.#byKey.delete(textOf(partitioning.key));
  }

  #next(partitionsCount: number): Lane {
    if (this.#turnLane?.open === undefined) this.#turnLane = this.#partition(this.#turn++ % partitionsCount);
    return this.#turnLane;
  }

  #partition(partitionId: number): Lane {
    const lane = this.#byPartition.get(partitionId) ?? new Lane({ kind: "partition", partitionId });
    this.#byPartition.set(partitionId, lane);
    return lane;
  }

  #key(key: Uint8Array): Lane {
    const text = textOf(key);
    const partitioning: Partitioning = { kind: "key", key: key.slice() };
    const lane = this.#byKey.get(text) ?? new Lane(partitioning);
    this.#byKey.set(text, lane);
    return lane;
  }
}

/** One character for each byte. */
function textOf(key: Uint8Array): string {
  return String.fromCharCode(...key);
}
