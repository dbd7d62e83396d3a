// What waits, so that nobody's many keep the few of others waiting: networks take turns, within a network its lanes do, and a
// lane is first in, first out. Where there is no room, whoever has the most waiting loses what came last, not whoever comes.

export interface Waiting {
  readonly network: string;
  readonly lane: string;
}

export type Taken<T> =
  | { readonly entry: T }
  /** Nothing may be taken before; Infinity when nothing waits. */
  | { readonly entry: undefined; readonly readyAtMs: number };

interface Network<T> {
  count: number;
  /** In the order of their turns; none is empty. */
  readonly lanes: Map<string, T[]>;
}

export class FairQueue<T extends Waiting> {
  readonly #entriesMax: number;
  /** In the order of their turns; none is empty. */
  readonly #networks = new Map<string, Network<T>>();
  #count = 0;

  constructor(entriesMax: number) {
    this.#entriesMax = entriesMax;
  }

  get count(): number {
    return this.#count;
  }

  /** How many wait in one lane. */
  countOf({ network, lane }: Waiting): number {
    return this.#networks.get(network)?.lanes.get(lane)?.length ?? 0;
  }

  /** Adds at the end of its lane. Returns what there was no room for, `entry` or another. */
  add(entry: T, ofNetworkMax: number): T | undefined {
    const network = this.#networks.get(entry.network) ?? { count: 0, lanes: new Map<string, T[]>() };
    this.#networks.set(entry.network, network);
    const lane = network.lanes.get(entry.lane);
    if (lane === undefined) network.lanes.set(entry.lane, [entry]);
    else lane.push(entry);
    network.count++;
    this.#count++;
    if (network.count > ofNetworkMax) return this.#dropLast(network);
    return this.#count > this.#entriesMax
      ? this.#dropLast(largest(this.#networks.values(), ({ count }) => count))
      : undefined;
  }

  /** The first one, in the order of turns, that may be taken now. `readyAtMs`: when an entry may be. */
  take(nowMs: number, readyAtMs: (entry: T) => number): Taken<T> {
    let earliestMs = Number.POSITIVE_INFINITY;
    for (const [networkName, network] of this.#networks) {
      for (const [laneName, lane] of network.lanes) {
        const entry = lane[0]!;
        const readyMs = readyAtMs(entry);
        if (readyMs > nowMs) {
          earliestMs = Math.min(earliestMs, readyMs);
          continue;
        }
        lane.shift();
        this.#count--;
        network.count--;
        // Both go to the end of their order, or away.
        network.lanes.delete(laneName);
        if (lane.length > 0) network.lanes.set(laneName, lane);
        this.#networks.delete(networkName);
        if (network.count > 0) this.#networks.set(networkName, network);
        return { entry };
      }
    }
    return { entry: undefined, readyAtMs: earliestMs };
  }

  /** Returns what a network loses when it may have no more than `ofNetworkMax` waiting. */
  shrink(networkName: string, ofNetworkMax: number): T[] {
    const network = this.#networks.get(networkName);
    const lost: T[] = [];
    while (network !== undefined && network.count > ofNetworkMax) lost.push(this.#dropLast(network));
    return lost;
  }

  #dropLast(network: Network<T>): T {
    const lane = largest(network.lanes.values(), ({ length }) => length);
    const entry = lane.pop()!;
    network.count--;
    this.#count--;
    if (lane.length === 0) network.lanes.delete(entry.lane);
    if (network.count === 0) this.#networks.delete(entry.network);
    return entry;
  }
}

/** Of several as large the last one, who came last. */
function largest<T>(items: Iterable<T>, sizeOf: (item: T) => number): T {
  let found: T | undefined;
  for (const item of items) if (found === undefined || sizeOf(item) >= sizeOf(found)) found = item;
  return found!;
}
