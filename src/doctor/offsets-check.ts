// Stored offsets of one partition: eight bytes each, of which every value is one; only what lies ahead of the log shows.
import { isKeptAside } from "../platform/disk.ts";
import { consumerNamesName } from "../storage/consumer-names.ts";
import { messagesText } from "./findings.ts";
import { attempt, type CheckTools } from "./tools.ts";

export interface OffsetsTarget {
  readonly directory: string;
  /** Offset that the next message of the partition gets. */
  readonly endOffset: number;
  /** Whether the offset of the group with this number is that of the group which has the number now. */
  readonly ownsGroup: (number: number) => boolean;
}

const offsetBytes = 8;
const idMax = 2 ** 32 - 1;
const kinds = { consumers: "consumer", groups: "group" } as const;

/** Reports what a start would ignore, remove or lower. */
export function checkOffsets(tools: CheckTools, target: OffsetsTarget): void {
  const { disk } = tools.context;
  for (const name of disk.list(target.directory)) {
    if (name === "consumers" || name === "groups") checkKind(tools, target, name);
    else if (name !== consumerNamesName && !isKeptAside(name)) reportUnknown(tools, `${target.directory}/${name}`);
  }
}

function checkKind(tools: CheckTools, target: OffsetsTarget, kind: keyof typeof kinds): void {
  const directory = `${target.directory}/${kind}`;
  const names = attempt(tools, () => tools.context.disk.list(directory)) ?? [];
  for (const name of names) {
    if (isKeptAside(name)) continue;
    const path = `${directory}/${name}`;
    const id = Number(name);
    if (!/^\d+$/.test(name) || id > idMax || String(id) !== name) reportUnknown(tools, path);
    else if (kind === "groups" && !target.ownsGroup(id)) reportLeftover(tools, path);
    else attempt(tools, () => checkFile(tools, target, path, `${kinds[kind]} ${id}`));
  }
}

function checkFile({ context, findings }: CheckTools, { endOffset }: OffsetsTarget, path: string, who: string): void {
  const bytes = Buffer.alloc(offsetBytes + 1);
  const file = context.disk.open(path, "read");
  let sizeBytes: number;
  try {
    sizeBytes = file.read(bytes, 0);
  } finally {
    file.close();
  }
  if (sizeBytes !== offsetBytes) {
    // Made and not written yet is what a process that was killed leaves.
    findings.add({
      kind: "offset",
      severity: sizeBytes === 0 ? "start" : "damage",
      path,
      text: `the file of ${who} has ${sizeBytes > offsetBytes ? "more than 8" : sizeBytes} bytes instead of 8`,
      ...(sizeBytes === 0 ? {} : { loss: "the stored offset" }),
      consequence: `a start ignores it: ${who} has no stored offset`,
    });
    return;
  }
  const offset = bytes.readBigUInt64LE(0);
  if (offset < BigInt(endOffset)) return;
  findings.add({
    kind: "offset",
    severity: "damage",
    path,
    text: `${who} is at offset ${offset}, and the log ends before ${endOffset}`,
    loss: "the stored offset",
    consequence:
      endOffset === 0
        ? "a start removes it: there is no message"
        : `a start lowers it to ${endOffset - 1}, the last of ${messagesText(endOffset)}`,
  });
}

function reportLeftover({ findings }: CheckTools, path: string): void {
  findings.add({
    kind: "offset",
    severity: "start",
    path,
    text: "of a group that was deleted",
    consequence: "a start removes it",
  });
}

function reportUnknown({ findings }: CheckTools, path: string): void {
  findings.add({
    kind: "unknown",
    severity: "notice",
    path,
    text: "no file of stored offsets has such a name",
    consequence: "nobody reads it",
  });
}
