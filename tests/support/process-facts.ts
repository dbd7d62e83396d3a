// What Linux says about a process, and waiting for it to say something else.
import { readdirSync, readFileSync, readlinkSync } from "node:fs";

/** Resident memory in bytes. */
export function residentBytes(pid: number): number {
  const kibibytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
  if (kibibytes === undefined) throw new Error(`process ${pid} has no VmRSS`);
  return Number(kibibytes) * 1024;
}

/**
 * Open descriptors, but those of the log file, which a shard opens with its first line, whenever that comes, and of what
 * `isLeftOut` says so by its path.
 */
export function descriptorCount(pid: number, isLeftOut: (path: string) => boolean = () => false): number {
  const directory = `/proc/${pid}/fd`;
  const isCounted = (fd: string) => {
    try {
      const path = readlinkSync(`${directory}/${fd}`);
      return !path.includes("/logs/") && !isLeftOut(path);
    } catch {
      return false; // closed since it was listed
    }
  };
  return readdirSync(directory).filter(isCounted).length;
}

/** No test measures how fast something comes: the limit is for what never does, on a machine that is busy with other work. */
const eventuallyMs = 60_000;

/**
 * Waits until a process holds less than `limitBytes` more than it did. What is kept for somebody who does not take it stays for
 * as long as that is so; what the runtime has yet to collect goes once it is idle, which on a busy machine takes a while.
 */
export async function growsLessThan(limitBytes: number, memoryOf: () => number, beforeBytes: number): Promise<void> {
  await eventually(
    `less than ${limitBytes} bytes more`,
    () => memoryOf() - beforeBytes,
    (grownBytes) => grownBytes < limitBytes,
  );
}

/** Asks every 20 ms until `isDone` accepts the answer, which is returned; throws after `timeoutMs` with the last answer. */
export async function eventually<T>(
  what: string,
  ask: () => T | Promise<T>,
  isDone: (answer: T) => boolean,
  timeoutMs = eventuallyMs,
): Promise<T> {
  const deadlineMs = performance.now() + timeoutMs;
  for (;;) {
    const answer = await ask();
    if (isDone(answer)) return answer;
    if (performance.now() > deadlineMs) {
      throw new Error(`${what}: not within ${timeoutMs} ms; the last answer was ${JSON.stringify(answer)}`);
    }
    await Bun.sleep(20);
  }
}
