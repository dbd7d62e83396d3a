// Which messages the members of a group were given: runs of offsets, compared over all members when they have ended. This
// finds what no member can see for itself: a message that two of them got, or none.

/** `firstOffset` up to and without `endOffset`. */
export type OffsetRange = { readonly partitionId: number; readonly firstOffset: number; endOffset: number };

/** Notes a run, joined to the last one of the partition where it continues that. */
export function addRange(ranges: OffsetRange[], partitionId: number, firstOffset: number, endOffset: number): void {
  const last = ranges.findLast((range) => range.partitionId === partitionId);
  if (last !== undefined && last.endOffset === firstOffset) last.endOffset = endOffset;
  else ranges.push({ partitionId, firstOffset, endOffset });
}

/** Offsets that are in no run although a later one of the partition is, and how often one came again. */
export function compareRanges(ranges: readonly OffsetRange[]): { gaps: number; duplicates: number } {
  const sorted = ranges.toSorted(
    (left, right) => left.partitionId - right.partitionId || left.firstOffset - right.firstOffset,
  );
  const found = { gaps: 0, duplicates: 0 };
  let partitionId: number | undefined;
  let nextOffset = 0;
  for (const range of sorted) {
    if (range.partitionId !== partitionId) {
      partitionId = range.partitionId;
      nextOffset = 0;
    }
    found.gaps += Math.max(0, range.firstOffset - nextOffset);
    found.duplicates += Math.max(0, Math.min(range.endOffset, nextOffset) - range.firstOffset);
    nextOffset = Math.max(nextOffset, range.endOffset);
  }
  return found;
}
