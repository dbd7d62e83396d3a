// Ids of tokens that ended before their time, with the time when they would have ended anyway. The file `state/tokens` is
// the original's: one MessagePack map from id to seconds (spec HA 4.4), but written aside and renamed, so that a crash
// leaves the earlier or the later list.
import { decode, encode } from "@msgpack/msgpack";
import type { Logger } from "../../../observability/log.ts";
import { type Disk, DiskError } from "../../../platform/disk.ts";
import { IggyError } from "../../../protocol/errors.ts";

/** The file cannot be used: without it revoked tokens would be accepted again, so the server does not start. */
export class RevocationFileError extends Error {
  override readonly name = "RevocationFileError";
}

export interface RevocationsOptions {
  readonly disk: Disk;
  readonly directory: string;
  readonly log: Logger;
}

const fileName = "tokens";

export class Revocations {
  readonly #options: RevocationsOptions;
  readonly #expiries: Map<string, number>;
  #writes: Promise<void> = Promise.resolve();

  private constructor(options: RevocationsOptions, expiries: Map<string, number>) {
    this.#options = options;
    this.#expiries = expiries;
  }

  /** Throws RevocationFileError. */
  static open(options: RevocationsOptions): Revocations {
    const path = `${options.directory}/${fileName}`;
    try {
      return new Revocations(options, options.disk.exists(path) ? parse(readFile(options.disk, path)) : new Map());
    } catch (cause) {
      throw new RevocationFileError(`${path} cannot be read; revoked access tokens would be accepted again`, { cause });
    }
  }

  has(tokenId: string): boolean {
    return this.#expiries.has(tokenId);
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
    const expired = [...this.#expiries].filter(([, expirySeconds]) => expirySeconds <= nowSeconds);
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
