// What Linux says about a process, and waiting for it to say something else.
import { readdirSync, readFileSync } from "node:fs";

/** Resident memory in bytes. */
export function residentBytes(pid: number): number {
  const kibibytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
  if (kibibytes === undefined) throw new Error(`process ${pid} has no VmRSS`);
  return Number(kibibytes) * 1024;
}

/** Open descriptors. */
export function descriptorCount(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length;
}

/** Asks every 20 ms until `isDone` accepts the answer, which is returned; throws after `timeoutMs` with the last answer. */
export async function eventually<T>(
  what: string,
  ask: () => T | Promise<T>,
  isDone: (answer: T) => boolean,
  timeoutMs = 5000,
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
