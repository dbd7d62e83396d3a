// Names of single consumers, whose offsets are kept by a number: the hash of the name (spec BP 3.3). They are for people, who read
// pages, logs and metrics, and decide nothing: one that is lost is missing until the consumer stores an offset again. One line for
// each, appended: the number, a space, the name as JSON text. Where payloads are encrypted on the disk names stay in memory.

import { DiskError, readWhole } from "../platform/disk.ts";
import type { StorageContext } from "./types.ts";

/** In the directory of all offsets. */
export const consumerNamesName = "names";

/** Lines of names that are not kept any more, beyond as many as there are kept, before the file is written anew. */
const staleLinesMax = 64;
const decoder = new TextDecoder();
const encoder = new TextEncoder();

export class ConsumerNames {
  readonly #context: StorageContext;
  readonly #path: string;
  readonly #names = new Map<number, string>();
  #linesCount = 0;
  #isFailureReported = false;

  /** `directory`: of all offsets. */
  constructor(context: StorageContext, directory: string) {
    this.#context = context;
    this.#path = `${directory}/${consumerNamesName}`;
  }

  /** What the file has, of those that `isKept`. A file that cannot be read has nothing to say. */
  static load(context: StorageContext, directory: string, isKept: (id: number) => boolean): ConsumerNames {
    const names = new ConsumerNames(context, directory);
    names.#load(isKept);
    return names;
  }

  of(id: number): string | undefined {
    return this.#names.get(id);
  }

  /** A consumer of that name has an offset. The first name that has the number keeps it. Never throws. */
  note(id: number, name: string): void {
    if (this.#names.has(id)) return;
    this.#names.set(id, name);
    if (this.#context.encryption !== undefined) return;
    if (this.#linesCount > 2 * this.#names.size + staleLinesMax) this.#write(true, [...this.#names]);
    else this.#write(false, [[id, name]]);
  }

  /** Its offset is deleted. */
  forget(id: number): void {
    this.#names.delete(id);
  }

  #write(isAnew: boolean, entries: readonly (readonly [id: number, name: string])[]): void {
    const { disk, files, log } = this.#context;
    const bytes = encoder.encode(entries.map(([id, name]) => `${id} ${JSON.stringify(name)}\n`).join(""));
    try {
      files.withRoom(() => {
        const file = disk.open(this.#path, "create");
        try {
          if (isAnew) file.truncate(0);
          file.write([bytes], file.sizeBytes());
        } finally {
          file.close();
        }
      });
      this.#linesCount = (isAnew ? 0 : this.#linesCount) + entries.length;
    } catch (thrown) {
      if (!(thrown instanceof DiskError)) throw thrown;
      if (!this.#isFailureReported)
        log.warn("names of consumers are not kept", { path: this.#path, error: thrown.message });
      this.#isFailureReported = true;
    }
  }

  #load(isKept: (id: number) => boolean): void {
    const { disk, files, log } = this.#context;
    try {
      if (!disk.exists(this.#path)) return;
      const lines = decoder.decode(files.withRoom(() => readWhole(disk, this.#path))).split("\n");
      for (const line of lines) {
        if (line === "") continue;
        this.#linesCount++;
        const [id, name] = readLine(line);
        if (name !== undefined && isKept(id) && !this.#names.has(id)) this.#names.set(id, name);
      }
    } catch (thrown) {
      if (!(thrown instanceof DiskError)) throw thrown;
      log.warn("names of consumers cannot be read", { path: this.#path, error: thrown.message });
    }
  }
}

/** A line that is torn or damaged has no name. */
function readLine(line: string): readonly [id: number, name: string | undefined] {
  const [, id, text = ""] = /^(\d{1,10}) (".*")$/.exec(line) ?? [];
  try {
    const name: unknown = JSON.parse(text);
    return [Number(id), typeof name === "string" ? name : undefined];
  } catch {
    return [Number(id), undefined]; // no JSON: a line that was not written to its end
  }
}
