/** The faults that the storage simulation asks of the disk; each stays until the disk is healed. */
import type { SimOperation } from "../../src/platform/simulated/sim-faults.ts";
import type { StorageMachine } from "./storage-machine.ts";

interface Refusal {
  readonly operations: readonly SimOperation[];
  readonly errorCodes: readonly string[];
}

const refusals: readonly Refusal[] = [
  { operations: ["open", "create", "list", "syncDirectory"], errorCodes: ["EMFILE", "ENFILE"] },
  { operations: ["open", "create", "list"], errorCodes: ["EACCES"] },
  { operations: ["create", "makeDirectory", "rename"], errorCodes: ["ENOSPC", "EROFS", "EACCES"] },
  { operations: ["rename", "removeTree"], errorCodes: ["EPERM", "EIO"] },
  { operations: ["remove"], errorCodes: ["EPERM", "EIO", "EROFS"] },
  { operations: ["truncate"], errorCodes: ["EIO"] },
  { operations: ["read"], errorCodes: ["EIO"] },
  { operations: ["reserve"], errorCodes: ["ENOSPC"] },
];

/** `onFailingSync`: from now on what a sync is to cover may be lost for good. */
export function addFault(machine: StorageMachine, onFailingSync: () => void): void {
  const { disk, simulation, trace } = machine;
  const count = simulation.between(0, 4);
  machine.faultsPossible = true;
  const kind = simulation.pick(["full", "write", "sync", "names", "descriptors", "calls", "calls", "calls"] as const);
  trace.add(`fault: ${kind} ${count}`);
  switch (kind) {
    case "full":
      disk.fillUpAfter(simulation.between(0, 5000));
      return;
    case "write":
      disk.failWriteAfter(count);
      return;
    case "sync":
      disk.failSyncAfter(count);
      machine.failedSyncsPossible = true;
      onFailingSync();
      return;
    case "names":
      disk.failCalls({ operations: ["syncDirectory"], errorCode: "EIO", percent: simulation.pick([30, 100]) });
      machine.failedSyncsPossible = true;
      onFailingSync();
      return;
    case "descriptors":
      disk.limitDescriptors(count);
      return;
    case "calls": {
      const { operations, errorCodes } = simulation.pick(refusals);
      const fault = { operations, errorCode: simulation.pick(errorCodes), percent: simulation.pick([20, 60, 100]) };
      trace.add(`  ${JSON.stringify(fault)}`);
      disk.failCalls(fault);
    }
  }
}
