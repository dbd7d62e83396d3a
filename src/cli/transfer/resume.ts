// Goes on with a file that an export has begun: up to which offset it has each partition. What is not whole at its end is cut off.

import { truncate } from "node:fs/promises";
import type { Host } from "../host.ts";
import { Problem } from "../problem.ts";
import { linesOf, readBytes } from "./files.ts";
import type { FileForm } from "./format.ts";
import { LineError, readLine } from "./lines.ts";
import { readRawMessages } from "./raw.ts";

/** By partition: the last offset in the file. A raw file has one partition, whichever it is. */
export type LastOffsets = ReadonlyMap<number, bigint>;

/** Empty for a file that is not there. */
export async function lastOffsetsOf(
  path: string,
  form: FileForm,
  partitionId: number,
  host: Host,
): Promise<LastOffsets> {
  if (!(await Bun.file(path).exists())) return new Map();
  // A raw file's messages say how long they are, and a compressed one is whole or not at all: reading tells.
  if (form === "ndjson" && !/\.(zst|gz)$/.test(path)) await cutOff(path);
  return await offsetsIn(path, form, partitionId, host);
}

async function offsetsIn(path: string, form: FileForm, partitionId: number, host: Host): Promise<LastOffsets> {
  const last = new Map<number, bigint>();
  if (form === "raw") {
    for await (const { offset } of readRawMessages(readBytes(path, host), path)) last.set(partitionId, offset);
    return last;
  }
  for await (const { text, number } of linesOf(readBytes(path, host))) {
    try {
      const line = readLine(text);
      last.set(line.partitionId, line.message.offset);
    } catch (error) {
      if (!(error instanceof LineError)) throw error;
      throw new Problem(`${path}, line ${number}: ${error.message}`, { cause: error });
    }
  }
  return last;
}

/** An export that was killed leaves a part of a line at the end. */
async function cutOff(path: string): Promise<void> {
  const file = Bun.file(path);
  const tailBytes = 64 * 1024 * 1024;
  const tail = await file.slice(Math.max(0, file.size - tailBytes)).bytes();
  const end = tail.lastIndexOf(10) + 1;
  if (end < tail.length) await truncate(path, file.size - (tail.length - end));
}
