/**
 * The names of a simulated disk, as the running machine sees them and as the platter holds them. A change of names is
 * durable when its directory was synced. The journal of a file system keeps the order: a crash keeps a prefix of what is
 * pending in a directory, and a rename happened or did not.
 */
import type { SimContent } from "./sim-content.ts";
import type { Simulation } from "./simulation.ts";

export type SimNode = SimContent | "directory";

interface NameChange {
  readonly directory: string;
  /** What the names are afterwards; undefined = none. Both of a rename are in one change. */
  readonly effects: readonly (readonly [path: string, node: SimNode | undefined])[];
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

  /** Full paths directly below `directory`, sorted. */
  children(directory: string): string[] {
    return [...this.#cached.keys()].filter((path) => path !== "/" && parentOf(path) === directory).sort();
  }

  /** Takes effect at once for the running machine. All `effects` are names in `directory`. */
  change(directory: string, effects: NameChange["effects"]): void {
    applyTo(this.#cached, effects);
    this.#pending.push({ directory, effects });
  }

  syncDirectory(directory: string): void {
    for (const change of this.#pending) if (change.directory === directory) applyTo(this.#durable, change.effects);
    this.#pending = this.#pending.filter((change) => change.directory !== directory);
  }

  afterProcessCrash(survive: (content: SimContent) => SimContent): SimNames {
    const renewed = renewOnce(survive);
    const copy = new SimNames();
    for (const [path, node] of this.#cached) copy.#cached.set(path, renewed(node));
    for (const [path, node] of this.#durable) copy.#durable.set(path, renewed(node));
    copy.#pending = this.#pending.map(({ directory, effects }) => ({
      directory,
      effects: effects.map(([path, node]) => [path, node && renewed(node)] as const),
    }));
    return copy;
  }

  afterPowerLoss(simulation: Simulation, survive: (content: SimContent) => SimContent): SimNames {
    const names = new Map(this.#durable);
    const fates = new Map<string, "kept" | "lost" | "mixed">();
    for (const { directory, effects } of this.#pending) {
      let fate = fates.get(directory) ?? simulation.pick(["kept", "lost", "mixed"] as const);
      if (fate === "mixed" && simulation.chance(40)) fate = "lost";
      fates.set(directory, fate);
      if (fate !== "lost") applyTo(names, effects);
    }
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

function applyTo(names: Map<string, SimNode>, effects: NameChange["effects"]): void {
  for (const [path, node] of effects) {
    if (node === undefined) names.delete(path);
    else names.set(path, node);
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
