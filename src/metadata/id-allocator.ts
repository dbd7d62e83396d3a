/**
 * Slot table for ids (spec SB 3.8): new ids count up from 0; while running, the most recently freed id is used first;
 * after a restart holes are refilled from the highest down and freed ids at the end are forgotten. It is plain data and
 * never logged: events carry the ids, and loading builds the table again from the ids in use.
 */
export interface IdAllocator {
  /** One more than the highest id ever in use since the last restart. */
  nextId: number;
  /** Free ids below `nextId`; the last one is used first. */
  readonly freedIds: number[];
}

export function createIdAllocator(): IdAllocator {
  return { nextId: 0, freedIds: [] };
}

/**
 * The id that the next creation gets; nothing changes until it is taken. `isUsable`: whether a free id can be given now; the
 * answer may be any higher one than all that were ever in use.
 */
export function peekId(allocator: IdAllocator, isUsable?: (id: number) => boolean): number {
  if (isUsable === undefined) return allocator.freedIds.at(-1) ?? allocator.nextId;
  const freed = allocator.freedIds.findLast(isUsable);
  if (freed !== undefined) return freed;
  let id = allocator.nextId;
  while (!isUsable(id)) id++;
  return id;
}

/** Marks an id as used. Replay of a log that spans restarts takes ids in another order than this table would give. */
export function takeId(allocator: IdAllocator, id: number): void {
  const { freedIds } = allocator;
  if (id < allocator.nextId) {
    const place = freedIds.lastIndexOf(id);
    if (place >= 0) freedIds.splice(place, 1);
    return;
  }
  for (let hole = allocator.nextId; hole < id; hole++) freedIds.push(hole);
  allocator.nextId = id + 1;
}

/** Gives an id back. */
export function freeId(allocator: IdAllocator, id: number): void {
  allocator.freedIds.push(id);
}

/** The table after a restart, from the ids in use. */
export function rebuildIdAllocator(allocator: IdAllocator, usedIds: Iterable<number>): void {
  const used = new Set(usedIds);
  let highest = -1;
  for (const id of used) highest = Math.max(highest, id);
  allocator.nextId = highest + 1;
  allocator.freedIds.length = 0;
  for (let id = 0; id < highest; id++) if (!used.has(id)) allocator.freedIds.push(id);
}
