// Damages of a data directory, each with what the doctor is to say of it. The directory is that of `corruptions.test.ts`:
// stream 0 with topic 0 ("topic", two partitions, several segments in the first) and topic 1 ("other", one partition).
import { appendFileSync, chmodSync, cpSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { MessageLayout, messageHeaderBytes } from "../../src/protocol/message-layout.ts";
import { changeFile, flipBit } from "./support.ts";

export interface Corruption {
  readonly name: string;
  /** Changes the data directory. */
  readonly make: (directory: string) => void;
  /** A finding with this kind, in a file that this fits, is to be among those that are made. */
  readonly kind: string;
  readonly file: RegExp;
  readonly severity?: "damage" | "start" | "notice";
  /** Messages that are lost, together; not looked at if absent. */
  readonly lostMessages?: number;
}

const partition0 = "streams/0/topics/0/partitions/0";
const partition1 = "streams/0/topics/0/partitions/1";
const other0 = "streams/0/topics/1/partitions/0";

/** Paths of the logs of a partition, in their order; the last one is active. */
function logsOf(directory: string, partition = partition0): string[] {
  const path = join(directory, partition);
  return readdirSync(path)
    .filter((name) => name.endsWith(".log"))
    .sort()
    .map((name) => join(path, name));
}

const activeLog = (directory: string, partition?: string) => logsOf(directory, partition).at(-1)!;
const indexOf = (log: string) => log.replace(/log$/, "index");

function swap(left: string, right: string): void {
  renameSync(left, `${left}.swap`);
  renameSync(right, left);
  renameSync(`${left}.swap`, right);
}

/** Where the second message of a log begins. */
function secondMessageAt(bytes: Buffer): number {
  const payload = bytes.readUInt32LE(MessageLayout.payloadLength);
  return messageHeaderBytes + payload + bytes.readUInt32LE(MessageLayout.userHeadersLength);
}

/** Dates the second message of a log back by a second, with a checksum that is right. */
function dateBack(bytes: Buffer): Buffer {
  const start = secondMessageAt(bytes);
  const end = start + secondMessageAt(bytes.subarray(start));
  const at = start + MessageLayout.timestamp;
  bytes.writeBigUInt64LE(bytes.readBigUInt64LE(at) - 1_000_000n, at);
  bytes.writeBigUInt64LE(Bun.hash.xxHash3(bytes.subarray(start + 8, end)), start + MessageLayout.checksum);
  return bytes;
}

const damagedFirst = { kind: "messages", file: /partitions\/0\/0{20}\.log$/, lostMessages: 1 };

export const corruptions: readonly Corruption[] = [
  {
    name: "a bit of a payload in a sealed segment",
    make: (directory) => flipBit(logsOf(directory)[0]!, messageHeaderBytes + 5),
    ...damagedFirst,
  },
  {
    name: "a bit of an offset in a sealed segment",
    make: (directory) => flipBit(logsOf(directory)[0]!, MessageLayout.offset),
    ...damagedFirst,
  },
  {
    name: "a bit of a length in a sealed segment",
    make: (directory) => flipBit(logsOf(directory)[0]!, MessageLayout.payloadLength),
    ...damagedFirst,
  },
  {
    name: "a bit of a checksum in the active segment",
    make: (directory) => flipBit(activeLog(directory, partition1), MessageLayout.checksum),
    kind: "messages",
    file: /partitions\/1\/0{20}\.log$/,
    lostMessages: 1,
  },
  {
    name: "zeros over several messages",
    make: (directory) => changeFile(logsOf(directory)[0]!, (bytes) => bytes.fill(0, 100, 500)),
    kind: "messages",
    file: /0{20}\.log$/,
  },
  {
    name: "a message dated back",
    make: (directory) => changeFile(logsOf(directory)[0]!, dateBack),
    kind: "time",
    file: /0{20}\.log$/,
  },
  {
    name: "a sealed segment that is cut off",
    make: (directory) => changeFile(logsOf(directory)[0]!, (bytes) => bytes.subarray(0, bytes.byteLength - 40)),
    kind: "messages",
    file: /0{20}\.log$/,
    lostMessages: 1,
  },
  {
    name: "a sealed segment that ends one message early",
    make: (directory) => changeFile(logsOf(directory)[1]!, (bytes) => bytes.subarray(0, secondMessageAt(bytes))),
    kind: "gap",
    file: /\.log$/,
  },
  {
    name: "a segment in the middle that is missing, with its index",
    make: (directory) => {
      const log = logsOf(directory)[1]!;
      rmSync(log);
      rmSync(indexOf(log));
    },
    kind: "gap",
    file: /0{20}\.log$/,
  },
  {
    name: "a log in the middle that is missing",
    make: (directory) => rmSync(logsOf(directory)[1]!),
    kind: "missing",
    file: /\.log$/,
  },
  {
    name: "the last segment is missing, with its index",
    make: (directory) => {
      const log = activeLog(directory, other0);
      rmSync(log);
      rmSync(indexOf(log));
    },
    kind: "missing",
    file: /\.log$/,
  },
  {
    name: "two logs that are swapped",
    make: (directory) => swap(logsOf(directory)[0]!, logsOf(directory)[1]!),
    kind: "messages",
    file: /0{20}\.log$/,
  },
  {
    name: "a log that is shorter than it was when it was durable",
    make: (directory) => changeFile(activeLog(directory, other0), (bytes) => bytes.subarray(0, secondMessageAt(bytes))),
    kind: "missing",
    file: /topics\/1\/partitions\/0\/0{20}\.log$/,
  },
  {
    name: "garbage behind the last message",
    make: (directory) => appendFileSync(activeLog(directory), "x".repeat(212)),
    kind: "torn",
    file: /\.log$/,
    severity: "start",
  },
  {
    name: "a bit of the index of a sealed segment",
    make: (directory) => flipBit(indexOf(logsOf(directory)[0]!), 36),
    kind: "index",
    file: /0{20}\.index$/,
    lostMessages: 0,
  },
  {
    name: "a bit of the index of the active segment",
    make: (directory) => flipBit(indexOf(activeLog(directory, partition1)), 0),
    kind: "index",
    file: /\.index$/,
    lostMessages: 0,
  },
  {
    name: "an index that is missing",
    make: (directory) => rmSync(indexOf(logsOf(directory)[0]!)),
    kind: "index",
    file: /0{20}\.index$/,
  },
  {
    name: "an index that is cut off",
    make: (directory) => changeFile(indexOf(logsOf(directory)[0]!), (bytes) => bytes.subarray(0, 33)),
    kind: "index",
    file: /0{20}\.index$/,
  },
  {
    name: "rows of messages that are not there",
    make: (directory) => appendFileSync(indexOf(activeLog(directory)), Buffer.alloc(32, 7)),
    kind: "index",
    file: /\.index$/,
  },
  {
    name: "a bit of a stored offset, which is ahead of its log",
    make: (directory) => flipBit(join(directory, partition0, "offsets/consumers/7"), 5),
    kind: "offset",
    file: /offsets\/consumers\/7$/,
  },
  {
    name: "a stored offset that is cut off",
    make: (directory) => changeFile(join(directory, other0, "offsets/groups/0"), (bytes) => bytes.subarray(0, 3)),
    kind: "offset",
    file: /offsets\/groups\/0$/,
  },
  {
    name: "a bit of a checkpoint",
    make: (directory) => flipBit(join(directory, partition0, "checkpoint"), 9),
    kind: "checkpoint",
    file: /checkpoint$/,
  },
  {
    name: "a bit of the mark of a partition",
    make: (directory) => flipBit(join(directory, partition0, "partition.mark"), 20),
    kind: "mark",
    file: /partition\.mark$/,
  },
  {
    name: "a mark of which nothing is left",
    make: (directory) => writeFileSync(join(directory, partition0, "partition.mark"), ""),
    kind: "stray",
    file: /partitions\/0$/,
  },
  {
    name: "two partitions that are swapped",
    make: (directory) => swap(join(directory, partition0), join(directory, partition1)),
    kind: "stray",
    file: /partitions\/1$/,
  },
  {
    name: "a directory of a stream that nothing names",
    make: (directory) => cpSync(join(directory, "streams/0"), join(directory, "streams/7"), { recursive: true }),
    kind: "stray",
    file: /streams\/7$/,
  },
  {
    name: "a directory of a partition that nothing names",
    make: (directory) =>
      cpSync(join(directory, partition1), join(directory, "streams/0/topics/0/partitions/5"), { recursive: true }),
    kind: "stray",
    file: /partitions\/5$/,
  },
  {
    name: "a directory of somebody else",
    make: (directory) => mkdirSync(join(directory, "streams/photographs")),
    kind: "stray",
    file: /photographs$/,
    severity: "notice",
  },
  {
    name: "a bit of the log of the metadata",
    make: (directory) => flipBit(join(directory, "state/metadata.log"), 40),
    kind: "metadata",
    file: /metadata\.log$/,
  },
  {
    name: "both copies of an entry of the metadata",
    make: (directory) => changeFile(join(directory, "state/metadata.log"), (bytes) => bytes.fill(0xee, 0, 150)),
    kind: "metadata",
    file: /metadata\.log$/,
  },
  {
    name: "a bit of the newest snapshot",
    make: (directory) => flipBit(join(directory, "state/metadata.snapshot"), 200),
    kind: "metadata",
    file: /metadata\.snapshot$/,
  },
  {
    name: "a bit of the snapshot before it",
    make: (directory) => flipBit(join(directory, "state/metadata.snapshot.previous"), 200),
    kind: "metadata",
    file: /metadata\.snapshot\.previous$/,
  },
  {
    name: "the newest snapshot is missing",
    make: (directory) => rmSync(join(directory, "state/metadata.snapshot")),
    kind: "metadata",
    file: /metadata\.snapshot$/,
  },
  {
    name: "there are no metadata",
    make: (directory) => {
      for (const name of readdirSync(join(directory, "state"))) rmSync(join(directory, "state", name));
    },
    kind: "metadata",
    file: /state$/,
  },
  {
    name: "a bit of the list of revoked access tokens",
    make: (directory) => flipBit(join(directory, "state/tokens"), 30),
    kind: "tokens",
    file: /tokens$/,
  },
  {
    name: "a bit of the certificate",
    make: (directory) => flipBit(join(directory, "certificates/cert.pem"), 200, 1),
    kind: "certificate",
    file: /cert\.pem$/,
  },
  {
    name: "a key that is missing",
    make: (directory) => rmSync(join(directory, "certificates/key.pem")),
    kind: "certificate",
    file: /key\.pem$/,
  },
  {
    name: "a key that others may read",
    make: (directory) => chmodSync(join(directory, "certificates/key.pem"), 0o644),
    kind: "permission",
    file: /key\.pem$/,
    severity: "notice",
  },
  {
    name: "a take-over that was interrupted",
    make: (directory) => writeFileSync(join(directory, "state/log"), ""),
    kind: "takeover",
    file: /state\/log$/,
    severity: "notice",
  },
];
