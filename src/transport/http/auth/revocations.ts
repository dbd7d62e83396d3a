// Ids of tokens that ended before their time, with the time when they would have ended anyway. The file `state/tokens` is
// written aside and renamed, so that a crash leaves the earlier or the later list, and holds the list twice
// (`revocation-file.ts`). A list that cannot be read is set aside, and every token that was issued before then is refused:
// which of them had been revoked is not known any more, and the broker has to start.
import type { Logger } from "../../../observability/log.ts";
import { type Disk, DiskError, freePath, readWhole } from "../../../platform/disk.ts";
import { IggyError } from "../../../protocol/errors.ts";
import { decodeRevocations, encodeRevocations, type FoundRevocations } from "./revocation-file.ts";

/** What tells one token from another. */
export interface TokenIdentity {
  readonly tokenId: string;
  /** `iat` of the token. */
  readonly issuedSeconds: number;
}

export interface RevocationsOptions {
  readonly disk: Disk;
  readonly directory: string;
  readonly log: Logger;
  readonly nowSeconds: () => number;
}

const fileName = "tokens";
/** In the place of an id: every token that was issued in this second or earlier is refused. Those of now are new ones. No id of a token looks like it. */
const issuedUntilKey = "issued-until";

export class Revocations {
  readonly #options: RevocationsOptions;
  readonly #expiries: Map<string, number>;
  #writes: Promise<void> = Promise.resolve();

  private constructor(options: RevocationsOptions, expiries: Map<string, number>) {
    this.#options = options;
    this.#expiries = expiries;
  }

  /** Never fails: see the head of this file. */
  static open(options: RevocationsOptions): Revocations {
    const { disk, directory, log, nowSeconds } = options;
    const path = `${directory}/${fileName}`;
    let found: FoundRevocations;
    try {
      if (!disk.exists(path)) return new Revocations(options, new Map());
      found = decodeRevocations(readWhole(disk, path));
    } catch (error) {
      log.error("the list of revoked access tokens cannot be read; all that were issued before now are refused", {
        path,
        keptAs: setAside(disk, path, log),
        error,
      });
      return Revocations.#rewritten(options, new Map([[issuedUntilKey, nowSeconds() - 1]]));
    }
    const { expiries, state } = found;
    if (state === "whole") return new Revocations(options, expiries);
    if (state === "corrected") {
      log.warn(
        "one copy of the list of revoked access tokens is damaged; the other one is whole, and both are written anew",
        {
          path,
        },
      );
    }
    return Revocations.#rewritten(options, expiries);
  }

  /** The list goes to its file at once: what is there is damaged, or of the format without a second copy. */
  static #rewritten(options: RevocationsOptions, expiries: Map<string, number>): Revocations {
    const revocations = new Revocations(options, expiries);
    revocations.#save().catch((error: unknown) => {
      const path = `${options.directory}/${fileName}`;
      options.log.warn("the new list of revoked access tokens is not in its file yet", { path, error });
    });
    return revocations;
  }

  has({ tokenId, issuedSeconds }: TokenIdentity): boolean {
    return this.#expiries.has(tokenId) || issuedSeconds <= (this.#expiries.get(issuedUntilKey) ?? -1);
  }

  get count(): number {
    return this.#expiries.size;
  }

  /** Takes effect at once; resolves when it will survive a restart. Rejects with CannotOverwriteFile (10007). */
  revoke(tokenId: string, expirySeconds: number): Promise<void> {
    this.#expiries.set(tokenId, expirySeconds);
    return this.#save();
  }

  /** Forgets what has expired by itself. A failed write is logged: what is left in the file does no harm. */
  async clean(nowSeconds: number): Promise<void> {
    const expired = [...this.#expiries].filter(
      ([tokenId, expirySeconds]) => tokenId !== issuedUntilKey && expirySeconds <= nowSeconds,
    );
    if (expired.length === 0) return;
    for (const [tokenId] of expired) this.#expiries.delete(tokenId);
    try {
      await this.#save();
    } catch (error) {
      this.#options.log.warn("expired access tokens could not be removed from the file of revoked ones", { error });
    }
  }

  /** One write at a time; each writes the list as it is when its turn comes. */
  #save(): Promise<void> {
    const write = this.#writes.then(() => this.#write());
    this.#writes = write.catch(() => undefined); // told to the one who waits for this write
    return write;
  }

  async #write(): Promise<void> {
    const { disk, directory } = this.#options;
    const path = `${directory}/${fileName}`;
    const temporary = `${path}.tmp`;
    try {
      const file = disk.open(temporary, "create");
      try {
        file.truncate(0);
        file.write([encodeRevocations(this.#expiries)], 0);
        await file.sync();
      } finally {
        file.close();
      }
      disk.rename(temporary, path);
      disk.syncDirectory(directory);
    } catch (cause) {
      if (!(cause instanceof DiskError)) throw cause;
      throw new IggyError("CannotOverwriteFile", [], { cause });
    }
  }
}

/** The name under which the file is kept; undefined where it could not be renamed, and is replaced at the next write. */
function setAside(disk: Disk, path: string, log: Logger): string | undefined {
  const keptAs = freePath(disk, `${path}.damaged`);
  try {
    disk.rename(path, keptAs);
    return keptAs;
  } catch (error) {
    log.warn("a damaged file could not be set aside", { path, error });
    return undefined;
  }
}
