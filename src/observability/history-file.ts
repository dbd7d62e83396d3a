// The history as bytes of a file, in parts that are each checked by themselves: a file that is damaged, cut off or of another
// kind says so and is of no use. Parts are made one after the other, so that whoever writes them may do other things in between.
//
//   magic (8 bytes), then parts: length (u32, little-endian), CRC-32 (u32), bytes. The first part is JSON and says what follows:
//   the rings of the broker, one a part, then topics and groups, many a part. A part of length 0 is the end.
import type { Gap, History } from "./history.ts";
import { Subject } from "./history.ts";

/** The bytes are no history, or were changed; the message says which. */
export class HistoryFileError extends Error {
  override readonly name = "HistoryFileError";
}

const magic = new TextEncoder().encode("WHIPHST1");
const partHeadBytes = 8;
const slotBytes = Float64Array.BYTES_PER_ELEMENT;
const cellBytes = Float32Array.BYTES_PER_ELEMENT;
const subjectsPerPart = 64;

interface Head {
  readonly columns: readonly string[];
  /** Step in ms and rows of each ring of the broker, then of each ring of a subject. */
  readonly tiers: readonly (readonly [number, number])[];
  readonly subjectTiers: readonly (readonly [number, number])[];
  readonly lastMs: number | null;
  readonly gaps: readonly Gap[];
  readonly subjects: readonly { readonly key: string; readonly since: number; readonly lastActiveMs: number }[];
}

/** The bytes of the file, part by part. What changes between two parts spoils neither. */
export function* encodeHistory(history: History): Generator<Uint8Array<ArrayBuffer>> {
  const subjects = [...history.subjects];
  const model = subjects[0]?.[1] ?? new Subject(0);
  const head: Head = {
    columns: history.columns.map(({ name }) => name),
    tiers: history.rings.map(({ stepMs, length }) => [stepMs, length]),
    subjectTiers: model.rings.map(({ stepMs, length }) => [stepMs, length]),
    lastMs: history.lastMs ?? null,
    gaps: history.gaps,
    subjects: subjects.map(([key, { since, lastActiveMs }]) => ({ key, since, lastActiveMs })),
  };
  yield magic.slice();
  yield part(new TextEncoder().encode(JSON.stringify(head)));
  for (const ring of history.rings) yield part(ring.bytes());
  for (let first = 0; first < subjects.length; first += subjectsPerPart) {
    const some = subjects.slice(first, first + subjectsPerPart);
    yield part(joined(some.flatMap(([, { rings }]) => rings.map((ring) => ring.bytes()))));
  }
  yield part(new Uint8Array(0));
}

/** Fills `history`, which is empty, with what `encodeHistory` made; columns that are not there any more are left out. Throws HistoryFileError. */
export function decodeHistory(bytes: Uint8Array, history: History): void {
  const parts = partsOf(bytes);
  const head = headOf(parts[0]);
  const places = head.columns.map((name) => history.columns.findIndex((column) => column.name === name));
  let index = 1;
  head.tiers.forEach(([stepMs, length], tier) => {
    const content = parts[index++];
    if (content?.byteLength !== slotBytes + length * head.columns.length * cellBytes)
      throw new HistoryFileError("a ring is cut off");
    const ring = history.rings[tier];
    if (ring?.stepMs === stepMs && ring.length === length) ring.restore(content, places);
  });
  restoreSubjects(parts.slice(index), head, history);
  history.restored(head.lastMs ?? undefined, head.gaps);
}

function restoreSubjects(parts: readonly Uint8Array[], { subjects, subjectTiers }: Head, history: History): void {
  const columns = new Subject(0).rings.length === subjectTiers.length ? [0, 1, 2] : [];
  const ringBytes = subjectTiers.map(([, length]) => slotBytes + length * columns.length * cellBytes);
  const subjectBytes = ringBytes.reduce((sum, size) => sum + size, 0);
  if (columns.length === 0) return;
  subjects.forEach(({ key, since, lastActiveMs }, number) => {
    const content = parts[Math.floor(number / subjectsPerPart)];
    let position = (number % subjectsPerPart) * subjectBytes;
    if (content === undefined || content.byteLength < position + subjectBytes) {
      throw new HistoryFileError("topics are cut off");
    }
    const subject = new Subject(since);
    subject.lastActiveMs = lastActiveMs;
    subject.rings.forEach((ring, tier) => {
      const [stepMs, length] = subjectTiers[tier]!;
      const end = position + ringBytes[tier]!;
      if (ring.stepMs === stepMs && ring.length === length) ring.restore(content.subarray(position, end), columns);
      position = end;
    });
    if (history.subjects.size < history.subjectsMax) history.subjects.set(key, subject);
  });
}

function part(content: Uint8Array): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(partHeadBytes + content.byteLength);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, content.byteLength, true);
  view.setUint32(4, Bun.hash.crc32(content), true);
  bytes.set(content, partHeadBytes);
  return bytes;
}

/** All but the empty one at the end. */
function partsOf(bytes: Uint8Array): readonly Uint8Array[] {
  if (!magic.every((byte, index) => bytes[index] === byte))
    throw new HistoryFileError("it is no history, or of another version");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const parts: Uint8Array[] = [];
  let position = magic.byteLength;
  for (;;) {
    if (position + partHeadBytes > bytes.byteLength) throw new HistoryFileError("it is cut off");
    const size = view.getUint32(position, true);
    const checksum = view.getUint32(position + 4, true);
    position += partHeadBytes;
    if (position + size > bytes.byteLength) throw new HistoryFileError("it is cut off");
    const content = bytes.subarray(position, position + size);
    if (Bun.hash.crc32(content) !== checksum) throw new HistoryFileError("its bytes have changed");
    if (size === 0) return parts;
    parts.push(content);
    position += size;
  }
}

/** What has the right checksum was written by `encodeHistory`, of this version or a later one. */
function headOf(content: Uint8Array | undefined): Head {
  try {
    const head = JSON.parse(new TextDecoder().decode(content)) as Partial<Head>;
    const { columns, tiers, subjectTiers, gaps, subjects } = head;
    if ([columns, tiers, subjectTiers, gaps, subjects].every((list) => Array.isArray(list))) return head as Head;
  } catch {
    // Said below.
  }
  throw new HistoryFileError("its head cannot be read");
}

function joined(pieces: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(pieces.reduce((sum, { byteLength }) => sum + byteLength, 0));
  let position = 0;
  for (const piece of pieces) {
    bytes.set(piece, position);
    position += piece.byteLength;
  }
  return bytes;
}
