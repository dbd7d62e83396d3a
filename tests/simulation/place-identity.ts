/** What the metadata would say of one simulated partition: its log ids, and those of the groups of its topic. */
import type { PartitionIdentity } from "../../src/storage/types.ts";

export class PlaceIdentity implements PartitionIdentity {
  readonly #removed = new Set<string>();
  readonly #groups = new Map<number, string>();
  #lastId = 0;
  logId = this.#newId();

  /** A purge or a deletion is logged: what comes after it is another log. */
  startLog(): string {
    this.#removed.add(this.logId);
    this.logId = this.#newId();
    return this.logId;
  }

  isRemoved(logId: string): boolean {
    return this.#removed.has(logId);
  }

  groupLogId(groupNumber: number): string | null {
    return this.#groups.get(groupNumber) ?? null;
  }

  createGroup(groupNumber: number): void {
    this.#groups.set(groupNumber, this.#newId());
  }

  deleteGroup(groupNumber: number): void {
    this.#groups.delete(groupNumber);
  }

  #newId(): string {
    return (++this.#lastId).toString(16).padStart(24, "0");
  }
}
