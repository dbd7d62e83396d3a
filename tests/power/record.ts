// The record that the recorder (recorder.c) writes, as entries in the order in which things happened.

/** Kinds as recorder.c numbers them. */
export const EntryKind = {
  open: 1,
  create: 2,
  write: 3,
  truncate: 4,
  allocate: 5,
  rename: 6,
  unlink: 7,
  makeDirectory: 8,
  removeDirectory: 9,
  syncBegin: 10,
  syncEnd: 11,
  openDirectory: 12,
  link: 13,
  other: 14,
} as const;

const headBytes = 64;

export interface Entry {
  readonly kind: number;
  /** Relative to the recorded directory, without a slash in front; "" is the directory itself, or no path. */
  readonly path: string;
  readonly secondPath: string;
  readonly flags: number;
  /** Microseconds since 1970. */
  readonly micros: number;
  /** Number of what was opened; 0 for a call that goes by path. */
  readonly handle: number;
  /** Of a write or an allocation; of a sync's two entries the same number. */
  readonly position: number;
  /** Of a truncation or an allocation. */
  readonly size: number;
  readonly data: Uint8Array;
  /** Where the entry ends in the record: the place of a crash right behind it. */
  readonly end: number;
}

/** Entries of a record, without a last one that is not whole. */
export function* readRecord(bytes: Uint8Array): Generator<Entry> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const decoder = new TextDecoder();
  const number = (at: number) => Number(view.getBigUint64(at, true));
  let at = 0;
  while (at + headBytes <= bytes.byteLength) {
    const firstEnd = at + headBytes + view.getUint32(at + 4, true);
    const secondEnd = firstEnd + view.getUint32(at + 8, true);
    const end = secondEnd + number(at + 16);
    if (end > bytes.byteLength) return;
    yield {
      kind: view.getUint32(at, true),
      path: decoder.decode(bytes.subarray(at + headBytes, firstEnd)).slice(1),
      secondPath: decoder.decode(bytes.subarray(firstEnd, secondEnd)).slice(1),
      flags: view.getUint32(at + 12, true),
      micros: number(at + 24),
      handle: number(at + 32),
      position: number(at + 40),
      size: number(at + 48),
      data: bytes.subarray(secondEnd, end),
      end,
    };
    at = end;
  }
}
