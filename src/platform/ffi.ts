// The few system calls that the runtime has no function for. Linux and macOS with a 64-bit libc; where the library cannot
// be opened, `native` is undefined and callers take the portable way.
import { dlopen, FFIType } from "bun:ffi";

const symbols = {
  recv: { args: [FFIType.i32, FFIType.u64, FFIType.u64, FFIType.i32], returns: FFIType.i32 },
  send: { args: [FFIType.i32, FFIType.ptr, FFIType.u64, FFIType.i32], returns: FFIType.i32 },
  // The result is at most 2 GiB (callers ask for less), so 32 bits hold it and no BigInt is made.
  dup: { args: [FFIType.i32], returns: FFIType.i32 },
  dup2: { args: [FFIType.i32, FFIType.i32], returns: FFIType.i32 },
  getsockname: { args: [FFIType.i32, FFIType.ptr, FFIType.ptr], returns: FFIType.i32 },
  getpeername: { args: [FFIType.i32, FFIType.ptr, FFIType.ptr], returns: FFIType.i32 },
  getsockopt: { args: [FFIType.i32, FFIType.i32, FFIType.i32, FFIType.ptr, FFIType.ptr], returns: FFIType.i32 },
  shutdown: { args: [FFIType.i32, FFIType.i32], returns: FFIType.i32 },
  epoll_ctl: { args: [FFIType.i32, FFIType.i32, FFIType.i32, FFIType.ptr], returns: FFIType.i32 },
  setsockopt: { args: [FFIType.i32, FFIType.i32, FFIType.i32, FFIType.ptr, FFIType.u32], returns: FFIType.i32 },
  setpriority: { args: [FFIType.i32, FFIType.u32, FFIType.i32], returns: FFIType.i32 },
  sched_yield: { args: [], returns: FFIType.i32 },
  flock: { args: [FFIType.i32, FFIType.i32], returns: FFIType.i32 },
  fallocate: { args: [FFIType.i32, FFIType.i32, FFIType.i64, FFIType.i64], returns: FFIType.i32 },
} as const;

/** Flags of recv and send on Linux. */
export const MessageFlag = { dontWait: 0x40, noSignal: 0x4000, more: 0x8000 } as const;

/** fallocate: blocks are reserved, the size of the file stays. */
export const fallocateKeepSize = 1;

function load() {
  if (process.platform !== "linux") return undefined;
  for (const name of ["libc.so.6", "libc.musl-x86_64.so.1", "libc.musl-aarch64.so.1"]) {
    try {
      return dlopen(name, symbols).symbols;
    } catch {
      // The next name; none at all is a supported state that callers test for.
    }
  }
  return undefined;
}

/** System calls, or undefined where they cannot be reached. They return -1 on failure; errno is not available. */
export const native = load();

/** Descriptor of a socket of the runtime, which its types do not name; -1 where there is none. */
export function descriptorOf(socket: object): number {
  return "fd" in socket && typeof socket.fd === "number" ? socket.fd : -1;
}
