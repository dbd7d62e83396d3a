// Hands a listening socket of the system from one listener of the runtime to another. The runtime gives a listener its
// certificate once and for all, and closing a listener resets the connections that wait in the socket's queue; here the socket
// stays as it is, with its queue, and only the object that accepts from it changes.
//
// The descriptor of the new listener is made to mean the socket of the earlier one (dup2), and is watched as the new listener's
// was. What the event loop watches, and with which word it is told, is in /proc/self/fdinfo. The descriptor of the earlier
// listener is left to mean /dev/null: the runtime may close it whenever it likes.
import { ptr } from "bun:ffi";
import { closeSync, openSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { native } from "./ffi.ts";

/** A descriptor that an event loop of this process watches. */
export interface Watched {
  readonly epollFd: number;
  readonly fd: number;
  readonly events: number;
  /** What the loop is told with an event. */
  readonly word: bigint;
}

type SystemCalls = NonNullable<typeof native>;

const EpollOperation = { add: 1, remove: 2 } as const;
const socketLevel = 1;
const acceptsConnections = 30;
/** Any address fits. */
const addressBytesMax = 128;
const internetFamilies: ReadonlySet<number> = new Set([2, 10]);

/**
 * From now on the listener at `nextPort` accepts from the socket of the listener at `previousPort`, whose own socket is
 * closed; the other accepts nothing any more. Both belong to the event loop of this thread. False where that cannot be done
 * (elsewhere than on Linux, or if it is not clear which sockets are meant): the other one accepts as before, and the new one
 * is of no use.
 */
export function handOverListening(previousPort: number, nextPort: number): boolean {
  const calls = native;
  if (calls === undefined) return false;
  const listening = watchedDescriptors()
    .map((watched) => ({ ...watched, port: listeningPort(calls, watched.fd) }))
    .filter(({ port }) => port === previousPort || port === nextPort);
  const [next, ...others] = listening.filter(({ port }) => port === nextPort);
  // Other threads listen at the same port for themselves.
  const previous = listening.filter(({ port, epollFd }) => port === previousPort && epollFd === next?.epollFd);
  if (next === undefined || others.length > 0 || previous[0] === undefined || previous.length > 1) return false;
  return replace(calls, previous[0], next);
}

function replace(calls: SystemCalls, previous: Watched, next: Watched): boolean {
  const nothing = openSync("/dev/null", "r");
  try {
    // Closes the socket of the new listener, and with it its watch.
    if (calls.dup2(previous.fd, next.fd) < 0) return false;
    if (calls.epoll_ctl(next.epollFd, EpollOperation.add, next.fd, ptr(epollEvent(next))) < 0) return false;
    calls.epoll_ctl(previous.epollFd, EpollOperation.remove, previous.fd, ptr(epollEvent(previous)));
    calls.dup2(nothing, previous.fd);
    return true;
  } finally {
    closeSync(nothing);
  }
}

/** `struct epoll_event`, which has no gap on x86-64 only. */
function epollEvent({ events, word }: Watched): Uint8Array {
  const wordPosition = process.arch === "x64" ? 4 : 8;
  const event = new DataView(new ArrayBuffer(16));
  event.setUint32(0, events, true);
  event.setBigUint64(wordPosition, word, true);
  return new Uint8Array(event.buffer);
}

/** Of all threads. */
export function watchedDescriptors(): Watched[] {
  return eventLoops().flatMap((epollFd) => {
    const text = readFileSync(`/proc/self/fdinfo/${epollFd}`, "utf8");
    const lines = text.matchAll(/^tfd:\s+(\d+) events:\s+([0-9a-f]+) data:\s+([0-9a-f]+)/gm);
    return Array.from(lines, ([, fd, events, word]) => ({
      epollFd,
      fd: Number(fd),
      events: Number.parseInt(events ?? "", 16),
      word: BigInt(`0x${word}`),
    }));
  });
}

/** Their descriptors, of all threads. */
function eventLoops(): number[] {
  return readdirSync("/proc/self/fd").map(Number).filter(isEventLoop);
}

function isEventLoop(fd: number): boolean {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`) === "anon_inode:[eventpoll]";
  } catch {
    return false; // closed since the directory was read: by the read itself, or by another thread
  }
}

/** 0 for what is no listening socket. */
export function listeningPort(calls: SystemCalls, fd: number): number {
  const value = new Int32Array(1);
  const valueBytes = new Uint32Array([value.byteLength]);
  if (calls.getsockopt(fd, socketLevel, acceptsConnections, ptr(value), ptr(valueBytes)) < 0 || value[0] !== 1)
    return 0;
  const address = new DataView(new ArrayBuffer(addressBytesMax));
  const addressBytes = new Uint32Array([addressBytesMax]);
  if (calls.getsockname(fd, ptr(new Uint8Array(address.buffer)), ptr(addressBytes)) < 0) return 0;
  // IPv4 and IPv6 have the port at the same place; a unix socket has its path there.
  return internetFamilies.has(address.getUint16(0, true)) ? address.getUint16(2, false) : 0;
}
