/**
 * The names of a simulated disk, as the running machine sees them and as the platter holds them. A change of names is
 * durable when its directory was synced. The journal of a file system keeps the order: a crash keeps a prefix of what is
 * pending in a directory, and a rename happened or did not, also one from a directory into another. What is made at the
 * old name of a directory that was moved away is durable only with the move.
 */
import type { SimContent } from "./sim-content.ts";
import type { Simulation } from "./simulation.ts";

export type SimNode = SimContent | "directory";

type Effects = readonly (readonly [path: string, node: SimNode | undefined])[];

interface NameChange {
  /** One, or for a rename into another one both: a sync of either makes it durable. */
  readonly directories: readonly string[];
  /** What the names are afterwards; undefined = none. Both of a rename are in one change. */
  readonly effects: Effects;
  /** A directory with everything in it changes its name. */
  readonly move?: { readonly from: string; readonly to: string };
}

export class SimNames {
  readonly #cached: Map<string, SimNode>;
  readonly #durable: Map<string, SimNode>;
  #pending: NameChange[] = [];

  constructor() {
    this.#cached = new Map([["/", "directory"]]);
    this.#durable = new Map(this.#cached);
  }

  get(path: string): SimNode | undefined {
    return this.#cached.get(path);
  }

  /** Every file with its full path, sorted. */
  files(): (readonly [path: string, content: SimContent])[] {
    return [...this.#cached]
      .flatMap(([path, node]) => (node === "directory" ? [] : [[path, node] as const]))
      .sort(([first], [second]) => (first < second ? -1 : 1));
  }

  /** Full paths directly below `directory`, sorted. */
  children(directory: string): string[] {
    return [...this.#cached.keys()].filter((path) => path !== "/" && parentOf(path) === directory).sort();
  }

  /** Takes effect at once for the running machine. All `effects` are names in `directory`. */
  change(directory: string, effects: Effects): void {
    this.#apply({ directories: [directory], effects });
  }

  /** Both names change at once; a directory takes along what is in it. */
  rename(from: string, to: string, node: SimNode): void {
    const directories = [...new Set([parentOf(from), parentOf(to)])];
    if (node !== "directory") {
      const effects: Effects = [
        [from, undefined],
        [to, node],
      ];
      this.#apply({ directories, effects });
      return;
    }
    // What is pending inside belongs to the directory, whatever its name.
    this.#pending = this.#pending.map((change) =>
      isWithin(change.directories[0]!, from) ? moved(change, from, to) : change,
    );
    this.#apply({ directories, effects: [], move: { from, to } });
  }

  syncDirectory(directory: string): void {
    const moves = this.#pending.filter(({ move }) => move !== undefined && isWithin(directory, move.from));
    for (const { directories } of moves) this.syncDirectory(directories[0]!);
    const isCovered = ({ directories }: NameChange) => directories.includes(directory);
    for (const change of this.#pending) if (isCovered(change)) applyTo(this.#durable, change);
    this.#pending = this.#pending.filter((change) => !isCovered(change));
  }

  #apply(change: NameChange): void {
    applyTo(this.#cached, change);
    this.#pending.push(change);
  }

  afterProcessCrash(survive: (content: SimContent) => SimContent): SimNames {
    const renewed = renewOnce(survive);
    const copy = new SimNames();
    for (const [path, node] of this.#cached) copy.#cached.set(path, renewed(node));
    for (const [path, node] of this.#durable) copy.#durable.set(path, renewed(node));
    copy.#pending = this.#pending.map((change) => ({
      ...change,
      effects: change.effects.map(([path, node]) => [path, node && renewed(node)] as const),
    }));
    return copy;
  }

  afterPowerLoss(simulation: Simulation, survive: (content: SimContent) => SimContent): SimNames {
    const names = new Map(this.#durable);
    const fates = new Map<string, "kept" | "lost" | "mixed">();
    const lostMoves: { readonly from: string; readonly to: string }[] = [];
    for (const change of this.#pending) {
      const directory = change.directories[0]!;
      let fate = fates.get(directory) ?? simulation.pick(["kept", "lost", "mixed"] as const);
      if (fate === "mixed" && simulation.chance(40)) fate = "lost";
      fates.set(directory, fate);
      const isBehindLostMove = lostMoves.some(({ from, to }) => isWithin(directory, from) || isWithin(directory, to));
      if (fate !== "lost" && !isBehindLostMove) applyTo(names, change);
      else if (change.move !== undefined) lostMoves.push(change.move);
    }
    return SimNames.#of(names, survive);
  }

  /** What syncs of directories have made durable, and nothing else. */
  synced(survive: (content: SimContent) => SimContent): SimNames {
    return SimNames.#of(this.#durable, survive);
  }

  static #of(names: ReadonlyMap<string, SimNode>, survive: (content: SimContent) => SimContent): SimNames {
    const renewed = renewOnce(survive);
    const copy = new SimNames();
    for (const [path, node] of [...names].sort(([a], [b]) => (a < b ? -1 : 1))) {
      // A directory that was lost takes along what was in it.
      if (path !== "/" && copy.#cached.get(parentOf(path)) !== "directory") continue;
      const survivor = renewed(node);
      copy.#cached.set(path, survivor);
      copy.#durable.set(path, survivor);
    }
    return copy;
  }
}

export function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/")) || "/";
}

function moved(change: NameChange, from: string, to: string): NameChange {
  const rename = (path: string) => (isWithin(path, from) ? to + path.slice(from.length) : path);
  return {
    directories: change.directories.map(rename),
    effects: change.effects.map(([path, node]) => [rename(path), node] as const),
  };
}

function isWithin(path: string, directory: string): boolean {
  return path === directory || path.startsWith(`${directory}/`);
}

function applyTo(names: Map<string, SimNode>, { effects, move }: NameChange): void {
  for (const [path, node] of effects) {
    if (node === undefined) names.delete(path);
    else names.set(path, node);
  }
  if (move === undefined) return;
  for (const [path, node] of [...names]) {
    if (!isWithin(path, move.from)) continue;
    names.delete(path);
    names.set(move.to + path.slice(move.from.length), node);
  }
}

/** A file that has two names (a rename that is not durable yet) stays one file. */
function renewOnce(survive: (content: SimContent) => SimContent): (node: SimNode) => SimNode {
  const survivors = new Map<SimContent, SimContent>();
  return (node) => {
    if (node === "directory") return node;
    const survivor = survivors.get(node) ?? survive(node);
    survivors.set(node, survivor);
    return survivor;
  };
}
