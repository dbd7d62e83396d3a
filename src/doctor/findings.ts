// What the doctor says: one finding for each thing that is not as it should be.
import { relative } from "node:path";

/**
 * `damage`: something that was stored is lost or wrong, or stands where nobody looks for it. `start`: what a process that was
 * killed leaves, and the next start puts right without loss. `notice`: nothing is wrong with the data.
 */
export type Severity = "damage" | "start" | "notice";

export type FindingKind =
  | "certificate"
  | "checkpoint"
  | "gap"
  | "index"
  | "kept"
  | "key"
  | "mark"
  | "messages"
  | "metadata"
  | "missing"
  | "offset"
  | "overlap"
  | "permission"
  | "space"
  | "stray"
  | "takeover"
  | "time"
  | "tokens"
  | "torn"
  | "unknown"
  | "unreadable";

export interface Finding {
  readonly kind: FindingKind;
  readonly severity: Severity;
  /** `stream/topic/partition` by names; undefined for what belongs to none. */
  readonly place?: string | undefined;
  /** Path below the data directory. */
  readonly file: string;
  /** In the file, in bytes, where it is known. */
  readonly position?: number | undefined;
  /** What was found. */
  readonly text: string;
  /** Messages that nobody can read, or, of a place that will be set aside, reach. 0: none. */
  readonly lostMessages?: number | undefined;
  /** What is lost, in words; undefined: nothing. */
  readonly loss?: string | undefined;
  /** What follows from it, or what a start does about it. */
  readonly consequence: string;
}

/** A finding by the path of its file. */
export type FoundAt = Omit<Finding, "file" | "place"> & { readonly path: string };

/** Collects the findings of one data directory. */
export class Findings {
  readonly all: Finding[] = [];
  readonly #dataPath: string;
  /** The partition that is looked at. */
  place: string | undefined;

  constructor(dataPath: string) {
    this.#dataPath = dataPath;
  }

  add({ path, ...found }: FoundAt): void {
    const file = relative(this.#dataPath, path) || ".";
    this.all.push({ ...found, file, ...(this.place === undefined ? {} : { place: this.place }) });
  }
}

export function messagesText(count: number): string {
  return count === 1 ? "1 message" : `${count} messages`;
}

/** `offset 7`, or `offsets 7 to 9`. `endOffset` is exclusive. */
export function offsetsText(firstOffset: number, endOffset: number): string {
  return endOffset - firstOffset === 1 ? `offset ${firstOffset}` : `offsets ${firstOffset} to ${endOffset - 1}`;
}
