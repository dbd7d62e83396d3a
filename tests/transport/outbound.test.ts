// What a connection sends through a socket that takes little at a time: every byte once and in order, and files are read about once.
import { expect, test } from "bun:test";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { OutputPart } from "../../src/transport/output.ts";
import { Outbound } from "../../src/transport/tcp/outbound.ts";

const mebibyte = 1024 * 1024;

function bytesOf(sizeBytes: number, seed: number): Uint8Array {
  return Uint8Array.from({ length: sizeBytes }, (_, index) => (index * 31 + seed + (index >>> 8)) & 0xff);
}

/** Bytes that this process has read from files. Those of sockets are not among them. */
function readBytes(): number {
  return Number(/^rchar: (\d+)$/m.exec(readFileSync("/proc/self/io", "utf8"))?.[1]);
}

/** Sends the parts, each time as one reply, through a unix socket; what came out at its other end. */
async function through(directory: string, replies: readonly { head: Uint8Array; parts: readonly OutputPart[] }[]) {
  const path = join(directory, "socket");
  const received: Uint8Array[] = [];
  const ended = Promise.withResolvers<void>();
  const sent = Promise.withResolvers<void>();
  const listener = Bun.listen<Outbound | undefined>({
    unix: path,
    data: undefined,
    socket: {
      open: (socket) => {
        const output = new Outbound(socket, true);
        socket.data = output;
        let leftCount = replies.length;
        const done = () => {
          if (--leftCount === 0) sent.resolve();
        };
        for (const { head, parts } of replies) output.writeParts(head, parts, done);
      },
      data: () => undefined,
      drain: (socket) => void socket.data?.drain(),
    },
  });
  const client = await Bun.connect({
    unix: path,
    socket: { data: (_, bytes) => void received.push(bytes.slice()), close: () => ended.resolve() },
  });
  await sent.promise;
  listener.stop(true); // what is in the socket is still read
  await ended.promise;
  client.terminate();
  return Buffer.concat(received);
}

test("a socket that takes some 200 KB at a time has files read about once, and gets every byte in order", async () => {
  const directory = mkdtempSync(join(tmpdir(), "whippet-outbound-"));
  const content = bytesOf(4 * mebibyte, 1);
  writeFileSync(join(directory, "log"), content);
  const fd = openSync(join(directory, "log"), "r");
  const made = bytesOf(700_000, 2);
  const tail = bytesOf(300_000, 3);
  const head = bytesOf(8, 4);
  const replies = [
    { head, parts: [{ kind: "file", fd, position: 0, sizeBytes: content.byteLength }] },
    {
      head,
      parts: [
        { kind: "file", fd, position: 1000, sizeBytes: mebibyte },
        { kind: "made", sizeBytes: made.byteLength, bytesFrom: (position: number) => made.subarray(position) },
        { kind: "bytes", bytes: tail },
      ],
    },
  ] as const;
  const readBefore = readBytes();
  const received = await through(directory, replies);
  const read = readBytes() - readBefore;
  closeSync(fd);
  rmSync(directory, { recursive: true });
  const expected = Buffer.concat([head, content, head, content.subarray(1000, 1000 + mebibyte), made, tail]);
  expect(received.equals(expected)).toBe(true);
  // What the socket did not take at first is read again, once.
  expect(read).toBeLessThan(1.5 * (content.byteLength + mebibyte));
});
