// Schemas in this browser: they never go to the broker, and are there at the next visit.
import { signal } from "@preact/signals";
import type { KeptSchema } from "../messages/schema.ts";

const databaseName = "whippet";
const storeName = "schemas";
const version = 1;

/** By name; undefined while they have not been read. */
export const schemas = signal<readonly KeptSchema[] | undefined>(undefined);

let reading: Promise<void> | undefined;

/** Reads them once; where the browser keeps nothing there are none. */
export function readSchemas(): Promise<void> {
  reading ??= withStore("readonly", (store) => store.getAll()).then(
    (all) => {
      schemas.value = all as readonly KeptSchema[];
    },
    () => {
      schemas.value = []; // a browser may forbid it
    },
  );
  return reading;
}

/** One of this name is replaced. Rejects where the browser keeps nothing; it is there until the page is left all the same. */
export async function keepSchema(schema: KeptSchema): Promise<void> {
  const others = (schemas.peek() ?? []).filter(({ name }) => name !== schema.name);
  schemas.value = [...others, schema].sort((left, right) => (left.name < right.name ? -1 : 1));
  await withStore("readwrite", (store) => store.put(schema));
}

export async function removeSchema(name: string): Promise<void> {
  schemas.value = (schemas.peek() ?? []).filter((schema) => schema.name !== name);
  await withStore("readwrite", (store) => store.delete(name));
}

/** The topic is read by this schema from now on, and by no other. */
export async function bindSchema(schema: KeptSchema, topic: string): Promise<void> {
  for (const other of schemas.peek() ?? []) {
    const isBound = other.topics.includes(topic);
    if (other.name === schema.name ? isBound : !isBound) continue;
    const topics = other.topics.filter((name) => name !== topic);
    await keepSchema({ ...other, topics: other.name === schema.name ? [...topics, topic] : topics });
  }
}

/** All of them. */
export async function forgetSchemas(): Promise<void> {
  schemas.value = [];
  await withStore("readwrite", (store) => store.clear());
}

function withStore(mode: IDBTransactionMode, act: (store: IDBObjectStore) => IDBRequest): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const opening = indexedDB.open(databaseName, version);
    opening.onupgradeneeded = () => opening.result.createObjectStore(storeName, { keyPath: "name" });
    opening.onerror = () => reject(opening.error);
    opening.onsuccess = () => {
      const database = opening.result;
      const transaction = database.transaction(storeName, mode);
      const request = act(transaction.objectStore(storeName));
      transaction.oncomplete = () => {
        database.close();
        resolve(request.result);
      };
      transaction.onerror = () => {
        database.close();
        reject(transaction.error);
      };
    };
  });
}
