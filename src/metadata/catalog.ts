/** Things with a number and a name, found by either. Plain data, so that `structuredClone` carries it to another shard. */
import { assert } from "../platform/assert.ts";
import type { Identifier } from "../protocol/identifier.ts";
import { createIdAllocator, freeId, type IdAllocator, rebuildIdAllocator, takeId } from "./id-allocator.ts";

export interface Named {
  readonly id: number;
  name: string;
}

export interface Catalog<T extends Named> {
  readonly byId: Map<number, T>;
  readonly byName: Map<string, T>;
  readonly ids: IdAllocator;
}

export function createCatalog<T extends Named>(): Catalog<T> {
  return { byId: new Map(), byName: new Map(), ids: createIdAllocator() };
}

/** By number or by name; a string of digits is a name (spec SB 5.5). */
export function findEntry<T extends Named>(catalog: Catalog<T>, identifier: Identifier): T | undefined {
  return identifier.kind === "numeric" ? catalog.byId.get(identifier.value) : catalog.byName.get(identifier.value);
}

/** All entries in ascending id, the order of every listing. */
export function entriesById<T extends Named>(catalog: Catalog<T>): T[] {
  return [...catalog.byId.values()].sort((left, right) => left.id - right.id);
}

/** The entry with this id, which must exist. */
export function requireEntry<T extends Named>(catalog: Catalog<T>, id: number): T {
  const entry = catalog.byId.get(id);
  assert(entry !== undefined, "an event names an id that exists", { id });
  return entry;
}

export function assertIdFree<T extends Named>(catalog: Catalog<T>, id: number): void {
  assert(Number.isInteger(id) && id >= 0 && id < 2 ** 32, "an id is a u32", { id });
  assert(!catalog.byId.has(id), "an event creates an id that is free", { id });
}

/** `ownId`: the entry that may already have the name. */
export function assertNameFree<T extends Named>(catalog: Catalog<T>, name: string, ownId?: number): void {
  const holder = catalog.byName.get(name);
  assert(holder === undefined || holder.id === ownId, "names are unique", { name, holder: holder?.id });
}

export function addEntry<T extends Named>(catalog: Catalog<T>, entry: T): void {
  catalog.byId.set(entry.id, entry);
  catalog.byName.set(entry.name, entry);
  takeId(catalog.ids, entry.id);
}

export function renameEntry<T extends Named>(catalog: Catalog<T>, entry: T, name: string): void {
  catalog.byName.delete(entry.name);
  entry.name = name;
  catalog.byName.set(name, entry);
}

export function removeEntry<T extends Named>(catalog: Catalog<T>, entry: T): void {
  catalog.byId.delete(entry.id);
  catalog.byName.delete(entry.name);
  freeId(catalog.ids, entry.id);
}

/** After loading: ids are given out as after a restart. */
export function rebuildIds<T extends Named>(catalog: Catalog<T>): void {
  rebuildIdAllocator(catalog.ids, catalog.byId.keys());
}
