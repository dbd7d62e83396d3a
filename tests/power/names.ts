/**
 * The names of a recorded directory: which are durable, and the changes since.
 *
 * What a power loss leaves of the changes that no sync has covered depends on the rules:
 * - `journal`: those before some moment, over all directories, as a file system with one journal does (ext4). There every
 *   sync, also that of a file, makes all earlier changes of names durable; of a file's data alone, only where its size changed.
 * - `ordered`: of each directory those before some moment of its own. A change is durable when its directory is synced.
 * - `any`: any of them, whatever came before or after: all that POSIX promises.
 *
 * A rename is one change: it happens whole or not at all, and is durable when one of its two directories is synced.
 */
import type { Random } from "../../src/platform/random.ts";
import { Content } from "./content.ts";

export type Rules = "journal" | "ordered" | "any";
export const allRules: readonly Rules[] = ["journal", "ordered", "any"];

export class Directory {
  readonly durable = new Map<string, Node>();
  readonly current = new Map<string, Node>();
}

export type Node = Directory | Content;

/** One entry of one directory that a change sets, or takes away. */
interface Step {
  readonly directory: Directory;
  readonly name: string;
  readonly node: Node | undefined;
}

interface Change {
  readonly steps: readonly Step[];
  /** How many changes there were before it. */
  readonly number: number;
}

export interface Tree {
  readonly files: ReadonlyMap<string, Uint8Array>;
  /** Parents before what they hold. */
  readonly directories: readonly string[];
}

export class Names {
  readonly root = new Directory();
  readonly #rules: Rules;
  #pending: Change[] = [];
  #changesCount = 0;

  constructor(rules: Rules) {
    this.#rules = rules;
  }

  /** Names one moment for `syncedUpTo`. */
  get changesCount(): number {
    return this.#changesCount;
  }

  /** What is there now; undefined if nothing is. */
  find(path: string): Node | undefined {
    let node: Node | undefined = this.root;
    for (const part of path === "" ? [] : path.split("/")) {
      if (!(node instanceof Directory)) return undefined;
      node = node.current.get(part);
    }
    return node;
  }

  /** Sets what is at each path, or takes it away, as one change. */
  change(...changes: readonly (readonly [path: string, node: Node | undefined])[]): void {
    const steps = changes.map(([path, node]) => {
      const slash = path.lastIndexOf("/");
      const directory = this.find(slash < 0 ? "" : path.slice(0, slash));
      if (!(directory instanceof Directory))
        throw new Error(`the record changes ${path}, whose directory is not known`);
      return { directory, name: path.slice(slash + 1), node };
    });
    for (const step of steps) put(step.directory.current, step);
    this.#pending.push({ steps, number: this.#changesCount++ });
  }

  /** A sync of `node` that began when there were `changesCount` changes has ended. `isWhole`: not one of data alone. */
  syncedUpTo(node: Node, changesCount: number, isWhole: boolean): void {
    const earlier = this.#pending.filter(({ number }) => number < changesCount);
    if (this.#rules === "journal") this.#settle(isWhole ? earlier : []);
    else if (node instanceof Directory) this.#settle(neededFor(earlier, node));
  }

  /** Everything is durable now. */
  syncAll(): void {
    this.#settle(this.#pending);
  }

  /** What a power loss now leaves. `contentOf` decides about each file. */
  afterPowerLoss(random: Random, contentOf: (content: Content) => Uint8Array): Tree {
    const entries = new Map<Directory, Map<string, Node>>();
    const entriesOf = (directory: Directory): Map<string, Node> => {
      const known = entries.get(directory) ?? new Map(directory.durable);
      entries.set(directory, known);
      return known;
    };
    for (const { steps } of this.#kept(random)) {
      for (const step of steps) put(entriesOf(step.directory), step);
    }
    return listTree(this.root, entriesOf, contentOf);
  }

  /** What is there now, as if nothing were lost. */
  now(contentOf: (content: Content) => Uint8Array): Tree {
    return listTree(this.root, (directory) => directory.current, contentOf);
  }

  #settle(changes: readonly Change[]): void {
    for (const { steps } of changes) for (const step of steps) put(step.directory.durable, step);
    const settled = new Set(changes);
    this.#pending = this.#pending.filter((change) => !settled.has(change));
  }

  #kept(random: Random): readonly Change[] {
    if (this.#rules === "journal") return this.#pending.slice(0, random.u32() % (this.#pending.length + 1));
    if (this.#rules === "any") {
      // Most are kept in one crash and few in another: halves only would hardly ever keep or lose many.
      const chance = random.u32() % 101;
      return this.#pending.filter(() => random.u32() % 100 < chance);
    }
    const ended = new Set<Directory>();
    const chance = 1 + (random.u32() % 8);
    return this.#pending.filter(({ steps }) => {
      const isKept = random.u32() % 8 < chance && !steps.some(({ directory }) => ended.has(directory));
      if (!isKept) for (const { directory } of steps) ended.add(directory);
      return isKept;
    });
  }
}

function put(entries: Map<string, Node>, { name, node }: Step): void {
  if (node === undefined) entries.delete(name);
  else entries.set(name, node);
}

/** Changes of `directory`, and earlier ones of the same names elsewhere that a rename among them builds on, in order. */
function neededFor(changes: readonly Change[], directory: Directory): readonly Change[] {
  const needed: Change[] = [];
  const names = new Map<Directory, Set<string>>();
  for (const change of [...changes].reverse()) {
    const isNeeded = change.steps.some(
      (step) => step.directory === directory || names.get(step.directory)?.has(step.name),
    );
    if (!isNeeded) continue;
    needed.push(change);
    for (const step of change.steps) {
      const known = names.get(step.directory) ?? new Set();
      names.set(step.directory, known.add(step.name));
    }
  }
  return needed.reverse();
}

function listTree(
  root: Directory,
  entriesOf: (directory: Directory) => ReadonlyMap<string, Node>,
  contentOf: (content: Content) => Uint8Array,
): Tree {
  const files = new Map<string, Uint8Array>();
  const directories: string[] = [];
  // After lost renames one directory may stand under two names; a file system keeps the first.
  const seen = new Set<Directory>();
  const walk = (directory: Directory, prefix: string): void => {
    seen.add(directory);
    for (const [name, node] of [...entriesOf(directory)].sort(([left], [right]) => (left < right ? -1 : 1))) {
      const path = `${prefix}${name}`;
      if (node instanceof Content) files.set(path, contentOf(node));
      else if (!seen.has(node)) {
        directories.push(path);
        walk(node, `${path}/`);
      }
    }
  };
  walk(root, "");
  return { files, directories };
}
