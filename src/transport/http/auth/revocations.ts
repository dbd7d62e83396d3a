// Ids of tokens that ended before their time, with the time when they would have ended anyway. The file `state/tokens` is
// the original's: one MessagePack map from id to seconds (spec HA 4.4), but written aside and renamed, so that a crash
// leaves the earlier or the later list. A list that cannot be read is set aside, and every token that was issued before then is
// refused: which of them had been revoked is not known any more, and the broker has to start.
import { decode, encode } from "@msgpack/msgpack";
import type { Logger } from "../../../observability/log.ts";
import { type Disk, DiskError, freePath } from "../../../platform/disk.ts";
import { IggyError } from "../../../protocol/errors.ts";

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
    try {
      return new Revocations(options, disk.exists(path) ? parse(readFile(disk, path)) : new Map());
    } catch (error) {
      log.error("the list of revoked access tokens cannot be read; all that were issued before now are refused", {
        path,
        keptAs: setAside(disk, path, log),
        error,
      });
      const revocations = new Revocations(options, new Map([[issuedUntilKey, nowSeconds() - 1]]));
      revocations.#save().catch((failure: unknown) => {
        log.warn("the new list of revoked access tokens is not in its file yet", { path, error: failure });
      });
      return revocations;
    }
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
        file.write([encode(Object.fromEntries(this.#expiries))], 0);
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

function readFile(disk: Disk, path: string): Uint8Array {
  const file = disk.open(path, "read");
  try {
    const bytes = new Uint8Array(file.sizeBytes());
    return bytes.subarray(0, file.read(bytes, 0));
  } finally {
    file.close();
  }
}

function parse(bytes: Uint8Array): Map<string, number> {
  const expiries = new Map<string, number>();
  if (bytes.length === 0) return expiries;
  const map: unknown = decode(bytes);
  if (typeof map !== "object" || map === null || Array.isArray(map)) throw new TypeError("not a map");
  for (const [tokenId, expirySeconds] of Object.entries(map)) {
    if (typeof expirySeconds !== "number") throw new TypeError("an expiry is not a number");
    expiries.set(tokenId, expirySeconds);
  }
  return expiries;
}
