// Which partitions are paused, by number: also those that are not the consumer's yet, or came back.

export class PausedPartitions {
  #isAll = false;
  /** Where all are paused, those that are not; else those that are. */
  #exceptions = new Set<number>();

  has(partitionId: number): boolean {
    return this.#exceptions.has(partitionId) !== this.#isAll;
  }

  /** These, or all that there are and will be. */
  pause(partitionIds: readonly number[] | undefined): void {
    this.#set(true, partitionIds);
  }

  resume(partitionIds: readonly number[] | undefined): void {
    this.#set(false, partitionIds);
  }

  #set(isPaused: boolean, partitionIds: readonly number[] | undefined): void {
    if (partitionIds === undefined) {
      this.#isAll = isPaused;
      this.#exceptions = new Set();
      return;
    }
    for (const id of partitionIds) {
      if (isPaused === this.#isAll) this.#exceptions.delete(id);
      else this.#exceptions.add(id);
    }
  }
}
