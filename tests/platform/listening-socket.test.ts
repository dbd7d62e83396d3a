import { afterEach, expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import type { TCPSocketListener } from "bun";
import { handOverListening } from "../../src/platform/listening-socket.ts";

const listeners: TCPSocketListener[] = [];
afterEach(() => {
  for (const listener of listeners.splice(0)) listener.stop(true);
});

function listen(name: string): TCPSocketListener {
  const socket = { open: (one: { write(text: string): number }) => void one.write(name), data: () => undefined };
  const listener = Bun.listen({ hostname: "127.0.0.1", port: 0, socket });
  listeners.push(listener);
  return listener;
}

/** Connects at once; resolves with the name of the listener that accepts. */
function accepter(port: number): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  Bun.connect({
    hostname: "127.0.0.1",
    port,
    socket: {
      data: (socket, bytes) => {
        resolve(bytes.toString());
        socket.end();
      },
      close: () => reject(new Error("closed")),
    },
  }).catch(reject);
  return promise;
}

test("the heir accepts what waits and what comes; its own port is closed, and the earlier listener may go", async () => {
  const previous = listen("previous");
  const heir = listen("heir");
  const { port } = previous;
  const heirsOwnPort = heir.port;
  const waiting = accepter(port);
  expect(handOverListening(port, heirsOwnPort)).toBe(true);
  expect(await waiting).toBe("heir");
  expect(await accepter(port)).toBe("heir");
  previous.stop(true);
  expect(await accepter(port)).toBe("heir");
  expect(await accepter(heirsOwnPort).catch(() => "refused")).toBe("refused");
});

test("goes from heir to heir without a descriptor more each time", async () => {
  let last = listen("0");
  const { port } = last;
  const before = readdirSync("/proc/self/fd").length;
  for (let round = 1; round <= 20; round++) {
    const heir = listen(String(round));
    expect(handOverListening(port, heir.port)).toBe(true);
    last.stop(false);
    last = heir;
    expect(await accepter(port)).toBe(String(round));
  }
  expect(readdirSync("/proc/self/fd").length).toBeLessThan(before + 10);
});

test("false, and the earlier listener goes on, where it is not clear what is meant", async () => {
  const previous = listen("previous");
  const heir = listen("heir");
  expect(handOverListening(1, heir.port)).toBe(false);
  expect(handOverListening(previous.port, 1)).toBe(false);
  expect(await accepter(previous.port)).toBe("previous");
  expect(await accepter(heir.port)).toBe("heir");
});
