/** Which calls of a simulated disk are refused, and with what: descriptors, rights, room, files that cannot be read. */
import { DiskError } from "../disk.ts";
import type { Simulation } from "./simulation.ts";

/** `open` is that of a file that is there, `create` that of a new one. */
export type SimOperation =
  | "open"
  | "create"
  | "makeDirectory"
  | "rename"
  | "remove"
  | "removeTree"
  | "list"
  | "read"
  | "truncate"
  | "reserve"
  | "syncDirectory";

export interface CallFault {
  readonly operations: readonly SimOperation[];
  /** Of the operating system: EMFILE, ENOSPC, EACCES, EROFS, EIO, … */
  readonly errorCode: string;
  /** How many of 100 such calls fail; all when it is not said. */
  readonly percent?: number;
  /** Only calls with this path, or one below it; all when it is not said. */
  readonly below?: string;
}

/** Operations that need a descriptor of their own. */
const needingDescriptors: ReadonlySet<SimOperation> = new Set([
  "open",
  "create",
  "removeTree",
  "list",
  "syncDirectory",
]);

export class SimFaults {
  #faults: CallFault[] = [];
  #descriptorsMax = Number.POSITIVE_INFINITY;
  /** Open files of the process. */
  openCount = 0;

  add(fault: CallFault): void {
    this.#faults.push(fault);
  }

  limitDescriptors(countMax: number): void {
    this.#descriptorsMax = countMax;
  }

  clear(): void {
    this.#faults = [];
    this.#descriptorsMax = Number.POSITIVE_INFINITY;
  }

  /** Throws `DiskError` where a fault hits the call, which must not take effect then. */
  check(operation: SimOperation, path: string, simulation: Simulation): void {
    if (this.openCount >= this.#descriptorsMax && needingDescriptors.has(operation)) fail(operation, path, "EMFILE");
    for (const { operations, errorCode, percent = 100, below } of this.#faults) {
      if (!operations.includes(operation)) continue;
      if (below !== undefined && path !== below && !path.startsWith(`${below}/`)) continue;
      if (percent >= 100 || simulation.chance(percent)) fail(operation, path, errorCode);
    }
  }
}

/** Named as the real disk names them: making a file is an open, and so is what a sync of a directory begins with. */
function fail(operation: SimOperation, path: string, errorCode: string): never {
  const isOpen = operation === "create" || (operation === "syncDirectory" && errorCode !== "EIO");
  throw new DiskError(isOpen ? "open" : operation, path, errorCode);
}
