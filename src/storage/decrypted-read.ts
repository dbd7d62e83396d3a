// Answers of encrypted partitions (spec SB 4.9): the bytes are read and decrypted in a copy. Slice by slice, off the event
// loop between them: a large reply must not hold everyone else up.

import { IggyError } from "../protocol/errors.ts";
import { BatchDecryption } from "./encryption.ts";
import { decryptSliceBytes } from "./limits.ts";
import type { MessageCipher, ReadPart, ReadResult, StorageLog } from "./types.ts";

/** What `encrypted` promises, with messages in clear; releases it. Throws `DiskError`, `CannotReadFile`. */
export async function decryptRead(encrypted: ReadResult, cipher: MessageCipher, log: StorageLog): Promise<ReadResult> {
  const parts: ReadPart[] = [];
  let messagesCount = 0;
  let skippedCount = 0;
  let sizeBytes = 0;
  try {
    for (const part of encrypted.parts) {
      const decryption = await decryptPart(part, cipher);
      const { clear } = decryption;
      messagesCount += decryption.messagesCount;
      skippedCount += decryption.skippedCount;
      sizeBytes += clear.byteLength;
      if (clear.byteLength > 0) parts.push({ kind: "bytes", bytes: clear });
    }
  } finally {
    encrypted.release();
  }
  const { currentOffset, lastOffset, epoch } = encrypted;
  if (skippedCount > 0) log.error("messages left out, they cannot be decrypted", { skippedCount, lastOffset });
  skippedCount += encrypted.skippedCount; // damaged ones, which are reported where they are found
  return { currentOffset, lastOffset, messagesCount, skippedCount, sizeBytes, parts, epoch, release() {} };
}

async function decryptPart(part: ReadPart, cipher: MessageCipher): Promise<BatchDecryption> {
  if (part.kind === "bytes") {
    const decryption = new BatchDecryption(part.bytes.slice(), cipher);
    decryption.decryptUpTo(part.bytes.byteLength);
    return decryption;
  }
  const bytes = new Uint8Array(part.sizeBytes);
  const decryption = new BatchDecryption(bytes, cipher);
  for (let start = 0; start < bytes.byteLength; start += decryptSliceBytes) {
    const slice = bytes.subarray(start, start + decryptSliceBytes);
    const got = await part.file.readAsync(slice, part.position + start);
    if (got !== slice.byteLength) throw new IggyError("CannotReadFile");
    decryption.decryptUpTo(start + slice.byteLength);
  }
  return decryption;
}
