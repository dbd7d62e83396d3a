// Whether the messages of a segment can be decrypted, by its first one: a key holds for at least as long as a process runs, and a
// segment that was begun with another key, or in clear, shows it there. Checksums are those of what is on the disk, and say nothing of it.
import type { DiskFile } from "../platform/disk.ts";
import { MessageLayout, messageHeaderBytes } from "../protocol/message-layout.ts";
import type { Segment } from "../storage/segment.ts";
import type { CheckTools } from "./tools.ts";

/** Its first message, at 0 in `file`, is known to be whole. */
export function checkKey({ cipher, findings }: CheckTools, segment: Segment, file: DiskFile): void {
  if (cipher === undefined) return;
  const header = Buffer.alloc(messageHeaderBytes);
  file.read(header, 0);
  const payload = new Uint8Array(header.readUInt32LE(MessageLayout.payloadLength));
  file.read(payload, messageHeaderBytes);
  if (cipher.decrypt(payload) !== undefined) return;
  findings.add({
    kind: "key",
    severity: "damage",
    path: segment.log.path,
    position: 0,
    text: "its first message cannot be decrypted with this key: it was written with another one, or in clear",
    loss: "messages, as long as this is the key",
    consequence: "polls leave them out",
  });
}
