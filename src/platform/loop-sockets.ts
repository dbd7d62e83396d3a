// The sockets that the event loop of this thread watches, as the system lists them: the runtime tells nobody when it accepts an
// HTTP connection, and has no limit for them. Only sockets of this thread are listed, which alone closes them: a descriptor
// means the same from the look to what is done about it.
import { closeSync, openSync, readSync } from "node:fs";
import { native } from "./ffi.ts";
import { listeningPort, watchedDescriptors } from "./listening-socket.ts";
import { idleMsOf, ownPort, peerOf, type SystemCalls } from "./socket-facts.ts";

const bothSides = 2;
const lineBytes = 96;
const startBytes = 16 * 1024;
const prefixBytes = "tfd:".length;
const lineEnd = 0x0a;
const space = 0x20;
const digit0 = 0x30;
const letterT = 0x74;

/** A connection that somebody has made to this process. */
export interface AcceptedSocket {
  readonly fd: number;
  /** `ip:port` or `[ip]:port`. */
  readonly peer: string;
  /** For how long nothing has come or gone, in milliseconds. */
  readonly idleMs: number;
}

export class LoopSockets {
  readonly #calls: SystemCalls;
  /** Kept open: where no descriptor is left is when the list is needed. */
  readonly #listFd: number;
  #text = Buffer.alloc(startBytes);
  #count = 0;

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

  /** Descriptors of the sockets at a port of this process: of the connections that were made to it, and of its listener. */
  at(port: number): number[] {
    const watched = this.#watched();
    this.#count = watched.length;
    return watched.filter((fd) => ownPort(this.#calls, fd) === port);
  }

  /** How many the loop watched at the last look. */
  get count(): number {
    return this.#count;
  }

  /** Undefined for a listener, and for one that is gone. */
  factsOf(fd: number): AcceptedSocket | undefined {
    const peer = peerOf(this.#calls, fd);
    const idleMs = idleMsOf(this.#calls, fd);
    return peer === undefined || idleMs === undefined ? undefined : { fd, peer, idleMs };
  }

  /** Ends a connection on both sides; the runtime sees its end, and closes it. */
  end(fd: number): void {
    this.#calls.shutdown(fd, bothSides);
  }

  close(): void {
    closeSync(this.#listFd);
  }

  #watched(): number[] {
    let sizeBytes = 0;
    for (;;) {
      const readBytes = readSync(this.#listFd, this.#text, sizeBytes, this.#text.length - sizeBytes, sizeBytes);
      if (readBytes === 0) break;
      sizeBytes += readBytes;
      if (this.#text.length - sizeBytes < lineBytes) this.#text = Buffer.concat([this.#text], 2 * this.#text.length);
    }
    return descriptorsIn(this.#text.subarray(0, sizeBytes));
  }
}

/** Of lines such as `tfd:       12 events:       19 data: …`; others are no descriptors. */
function descriptorsIn(text: Buffer): number[] {
  const found: number[] = [];
  for (let start = 0; start < text.length; ) {
    if (text[start] === letterT) found.push(numberAfter(text, start + prefixBytes));
    const end = text.indexOf(lineEnd, start);
    if (end < 0) break;
    start = end + 1;
  }
  return found;
}

function numberAfter(text: Buffer, start: number): number {
  let position = start;
  while (text[position] === space) position++;
  let value = 0;
  for (; text[position]! >= digit0 && text[position]! < digit0 + 10; position++) {
    value = value * 10 + text[position]! - digit0;
  }
  return value;
}
