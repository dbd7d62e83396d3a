// The sockets that the event loop of this thread watches, as the system lists them: the runtime tells nobody when it accepts an
// connection of HTTP or WebSocket, and has no limit for them. Only sockets of this thread are listed, which alone closes them: a
// descriptor means the same for as long as the thread does not go back to its event loop.
import { closeSync, openSync, readSync } from "node:fs";
import { native } from "./ffi.ts";
import { listeningPort, watchedDescriptors } from "./listening-socket.ts";
import { ownPort, peerOf, type SystemCalls, type Traffic, trafficOf } from "./socket-facts.ts";

const bothSides = 2;
/** Some 0.05 ms: a look at a thousand at once would hold up who sends meanwhile. */
const socketsPerTurn = 128;
const lineBytes = 96;
const startBytes = 16 * 1024;
const descriptorPrefix = "tfd:";
const inodePrefix = "ino:";
const lineEnd = 0x0a;
const space = 0x20;
const letterT = 0x74;
const noDigit = 0xff;
/** By character. */
const hexDigits = Uint8Array.from({ length: 256 }, (_, code) => {
  const value = Number.parseInt(String.fromCharCode(code), 16);
  return Number.isNaN(value) ? noDigit : value;
});

/** A connection that somebody has made to this process. */
export interface AcceptedSocket {
  readonly fd: number;
  /** `ip:port` or `[ip]:port`. */
  readonly peer: string;
}

interface KnownSocket {
  /** The system gives it to no other socket. */
  readonly inode: number;
  /** Undefined for what is no socket of the internet. */
  readonly port: number | undefined;
  /** Undefined for a listener. */
  readonly accepted: AcceptedSocket | undefined;
}

interface Watched {
  readonly fd: number;
  readonly inode: number;
}

export class LoopSockets {
  readonly #calls: SystemCalls;
  /** Kept open: where no descriptor is left is when the list is needed. */
  readonly #listFd: number;
  #isClosed = false;
  #text = Buffer.alloc(startBytes);
  #count = 0;
  /** By descriptor, so that only new ones are asked for their ends. */
  readonly #known = new Map<number, KnownSocket>();

  private constructor(calls: SystemCalls, listFd: number) {
    this.#calls = calls;
    this.#listFd = listFd;
  }

  /** Undefined where the system has no such list. */
  static open(): LoopSockets | undefined {
    const calls = native;
    if (calls === undefined) return undefined;
    // A port that no other thread listens at tells which loop is this one's.
    const listener = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data: () => undefined } });
    try {
      const own = watchedDescriptors().find(({ fd }) => listeningPort(calls, fd) === listener.port);
      return own && new LoopSockets(calls, openSync(`/proc/self/fdinfo/${own.epollFd}`, "r"));
    } catch {
      return undefined; // no process file system, or none that is whole
    } finally {
      listener.stop(true);
    }
  }

  /**
   * The connections that were made to a port of this process, a few at a time. The event loop turns before each few: an earlier one
   * may be gone by then, and its descriptor another's.
   */
  async *at(port: number): AsyncGenerator<readonly AcceptedSocket[]> {
    if (this.#isClosed) return;
    const watched = this.#watched();
    this.#count = watched.length;
    this.#forgetAllBut(watched);
    for (let start = 0; start < watched.length; start += socketsPerTurn) {
      await laterTurn();
      yield watched.slice(start, start + socketsPerTurn).flatMap((each) => {
        const known = this.#ask(each);
        return known.port === port && known.accepted !== undefined ? known.accepted : [];
      });
    }
  }

  /** How many the loop watched at the last look. */
  get count(): number {
    return this.#count;
  }

  /** Undefined for one that is gone; in a later turn than that in which it was listed it may be another's. */
  trafficOf({ fd }: AcceptedSocket): Traffic | undefined {
    return trafficOf(this.#calls, fd);
  }

  /** Ends a connection on both sides, unless its descriptor is another's by now; the runtime sees its end, and closes it. */
  end({ fd, peer }: AcceptedSocket): void {
    if (peerOf(this.#calls, fd) === peer) this.#calls.shutdown(fd, bothSides);
  }

  /** There are none from now on. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    closeSync(this.#listFd);
  }

  #ask({ fd, inode }: Watched): KnownSocket {
    const known = this.#known.get(fd);
    if (known?.inode === inode) return known;
    const peer = peerOf(this.#calls, fd);
    const asked = { inode, port: ownPort(this.#calls, fd), accepted: peer === undefined ? undefined : { fd, peer } };
    if (!Number.isNaN(inode)) this.#known.set(fd, asked); // an old system does not say
    return asked;
  }

  #forgetAllBut(watched: readonly Watched[]): void {
    if (this.#known.size <= 2 * watched.length) return;
    const descriptors = new Set(watched.map(({ fd }) => fd));
    for (const fd of this.#known.keys()) if (!descriptors.has(fd)) this.#known.delete(fd);
  }

  #watched(): Watched[] {
    let sizeBytes = 0;
    for (;;) {
      const readBytes = readSync(this.#listFd, this.#text, sizeBytes, this.#text.length - sizeBytes, sizeBytes);
      if (readBytes === 0) break;
      sizeBytes += readBytes;
      if (this.#text.length - sizeBytes < lineBytes) this.#text = Buffer.concat([this.#text], 2 * this.#text.length);
    }
    return watchedIn(this.#text.subarray(0, sizeBytes));
  }
}

/** Not the next turn already: who waits for several turns, as a send that is synced does, would wait for a few in each of them. */
const laterTurn = () => new Promise<void>((resolve) => setTimeout(resolve, 1));

/** Of lines such as `tfd:       12 events:       19 data: …  pos:0 ino:1f3 sdev:8`; others are no descriptors. */
function watchedIn(text: Buffer): Watched[] {
  const found: Watched[] = [];
  for (let start = 0; start < text.length; ) {
    const end = text.indexOf(lineEnd, start);
    if (end < 0) break;
    if (text[start] === letterT) {
      const inodeAt = text.indexOf(inodePrefix, start);
      const inode = inodeAt < 0 || inodeAt > end ? Number.NaN : numberAt(text, inodeAt + inodePrefix.length, 16);
      found.push({ fd: numberAt(text, start + descriptorPrefix.length, 10), inode });
    }
    start = end + 1;
  }
  return found;
}

function numberAt(text: Buffer, start: number, radix: 10 | 16): number {
  let position = start;
  while (text[position] === space) position++;
  let value = 0;
  for (let digit = hexDigits[text[position]!]!; digit < radix; digit = hexDigits[text[++position]!]!) {
    value = value * radix + digit;
  }
  return value;
}
