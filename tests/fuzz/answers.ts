// Whether what came back is the answer to what was sent, for each protocol: the right number of replies with statuses that
// the table knows, and never that of a fault of the broker.
import { errorNameOf } from "../../src/protocol/errors.ts";
import { frameHeaderBytes } from "../../src/protocol/frame.ts";

/** `Error` (1) stands for a bug. */
const bugStatus = 1;

/** Throws on a reply that no broken request deserves. */
export function repliesIn(received: Buffer): number {
  let count = 0;
  for (let position = 0; received.byteLength - position >= frameHeaderBytes; count++) {
    const status = received.readUInt32LE(position);
    const end = position + frameHeaderBytes + received.readUInt32LE(position + 4);
    if (status === bugStatus || (status !== 0 && errorNameOf(status) === undefined)) {
      throw new Error(`status ${status} in ${received.toHex()}`);
    }
    if (end > received.byteLength) break;
    position = end;
  }
  return count;
}

/** Payloads of the server's binary messages, one behind the other. Other frames (pongs, the end) are left out. */
export function payloadsIn(received: Buffer): Buffer {
  const payloads: Buffer[] = [];
  for (let position = 0; position + 2 <= received.byteLength; ) {
    const short = received[position + 1]!;
    const headBytes = short === 126 ? 4 : short === 127 ? 10 : 2;
    if (position + headBytes > received.byteLength) break;
    const sizeBytes =
      short === 126
        ? received.readUInt16BE(position + 2)
        : short === 127
          ? Number(received.readBigUInt64BE(position + 2))
          : short;
    const end = position + headBytes + sizeBytes;
    if (end > received.byteLength) break;
    if ((received[position]! & 0x0f) === 2) payloads.push(received.subarray(position + headBytes, end));
    position = end;
  }
  return Buffer.concat(payloads);
}

/** Whether a whole HTTP answer is there. Throws on one of 500 and more, but for 503, which is no fault. */
export function isHttpAnswer(received: Buffer): boolean {
  const headEnd = received.indexOf("\r\n\r\n");
  if (headEnd < 0) return false;
  const head = received.subarray(0, headEnd).toString("latin1");
  const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(head)?.[1]);
  if (!(status >= 100 && (status < 500 || status === 503))) throw new Error(`answered with ${head}`);
  const body = received.subarray(headEnd + 4);
  const sizeBytes = /^content-length: (\d+)/im.exec(head)?.[1];
  if (sizeBytes !== undefined) return body.byteLength >= Number(sizeBytes);
  return !/^transfer-encoding: chunked/im.test(head) || body.toString("latin1").endsWith("0\r\n\r\n");
}

/** Whether a handshake is answered. Throws if it is refused. */
export function isUpgraded(received: Buffer): boolean {
  if (!received.includes("\r\n\r\n")) return false;
  const head = received.toString("latin1");
  if (!head.startsWith("HTTP/1.1 101 ")) throw new Error(`the handshake was answered with ${head}`);
  return true;
}
