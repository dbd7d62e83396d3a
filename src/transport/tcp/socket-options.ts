// The options of `[tcp.socket]`, which the runtime has no function for.
import { ptr } from "bun:ffi";
import { descriptorOf, native } from "../../platform/ffi.ts";

/** As configured; sizes in bytes. */
export interface SocketOptions {
  readonly recvBufferSizeBytes: number;
  readonly sendBufferSizeBytes: number;
  readonly keepalive: boolean;
  readonly nodelay: boolean;
  /** How long a close waits for data that is not sent; 0: not at all, what is left is thrown away. Whole seconds count. */
  readonly lingerMicros: number;
}

/** Level and name of each option on Linux. */
export const SocketOption = {
  sendBuffer: [1, 7],
  receiveBuffer: [1, 8],
  keepalive: [1, 9],
  linger: [1, 13],
  nodelay: [6, 1],
  quickAcknowledge: [6, 12],
} as const;

/** Larger values than an `int` holds would wrap around; the system cuts at its own limit anyway. */
const intMax = 2 ** 31 - 1;

/** Sets the options of a listening or connected socket; one that the system refuses keeps its value. */
export function applySocketOptions(socket: object, options: SocketOptions): void {
  const fd = descriptorOf(socket);
  if (fd < 0) return;
  set(fd, SocketOption.receiveBuffer, options.recvBufferSizeBytes);
  set(fd, SocketOption.sendBuffer, options.sendBufferSizeBytes);
  set(fd, SocketOption.keepalive, options.keepalive ? 1 : 0);
  set(fd, SocketOption.nodelay, options.nodelay ? 1 : 0);
  set(fd, SocketOption.linger, 1, Math.round(options.lingerMicros / 1_000_000));
}

/** Acknowledges what has come instead of waiting for more or for a reply. Holds until the next byte. */
export function acknowledgeNow(socket: object): void {
  const fd = descriptorOf(socket);
  if (fd >= 0) set(fd, SocketOption.quickAcknowledge, 1);
}

function set(fd: number, [level, name]: readonly [number, number], ...values: readonly number[]): void {
  const argument = Int32Array.from(values, (value) => Math.min(value, intMax));
  native?.setsockopt(fd, level, name, ptr(argument), argument.byteLength);
}
