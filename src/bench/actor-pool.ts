// The actor processes of one phase: starts them, lets them begin together, gathers their results, and ends them all when
// one fails or the run is aborted.

import { fileURLToPath } from "node:url";
import type { Subprocess } from "bun";
import {
  type ActorCommand,
  type ActorEvent,
  type ActorJob,
  type ActorResult,
  type ActorTask,
  linesOf,
  type ProgressCounter,
} from "./actor-messages.ts";

/** More processes than this would only take turns on the cores; further actors share them. */
const processesMax = 8;

/** Option that turns the script into an actor process. */
export const actorProcessOption = "--internal-actor-process";

/** What this process runs, or the word for it inside an executable, where the place of a file is no path. */
const programName = /\$bunfs|~BUN/.test(import.meta.url)
  ? "bench"
  : fileURLToPath(new URL("./main.ts", import.meta.url));

type ActorProcess = Subprocess<"pipe", "pipe", "inherit">;

export type PhaseOptions = {
  readonly job: Omit<ActorJob, "tasks">;
  readonly tasks: readonly ActorTask[];
  readonly signal: AbortSignal;
  /** Called about twice a second with the sums of all processes. */
  readonly onProgress: (progress: ProgressCounter) => void;
};

/** Task i goes to process i modulo the number of processes. */
export function shareOut(tasks: readonly ActorTask[]): ActorTask[][] {
  const shares = Array.from({ length: Math.min(processesMax, tasks.length) }, (): ActorTask[] => []);
  for (const [index, task] of tasks.entries()) shares[index % shares.length]?.push(task);
  return shares;
}

/** Runs all tasks at the same time. Rejects if one fails or `signal` aborts; no process is left behind either way. */
export async function runPhase(options: PhaseOptions): Promise<ActorResult[]> {
  const processes = shareOut(options.tasks).map((tasks) => startProcess({ ...options.job, tasks }));
  const stop = () => {
    for (const process of processes) process.kill("SIGKILL");
  };
  options.signal.addEventListener("abort", stop);
  try {
    options.signal.throwIfAborted();
    return await gather(processes, options);
  } finally {
    options.signal.removeEventListener("abort", stop);
    stop();
    await Promise.all(processes.map((process) => process.exited));
  }
}

function startProcess(job: ActorJob): ActorProcess {
  const process = Bun.spawn([globalThis.process.execPath, programName, actorProcessOption], {
    stdin: "pipe",
    stdout: "pipe",
    stderr: "inherit",
  });
  writeLine(process, job);
  return process;
}

function writeLine(process: ActorProcess, line: ActorJob | ActorCommand): void {
  process.stdin.write(`${JSON.stringify(line)}\n`);
  process.stdin.flush();
}

async function gather(processes: readonly ActorProcess[], options: PhaseOptions): Promise<ActorResult[]> {
  const results: ActorResult[] = [];
  const latest = processes.map((): ProgressCounter => ({ producedMessages: 0, consumedMessages: 0 }));
  let readyCount = 0;
  const producersCount = options.tasks.filter(({ role }) => role === "producer").length;
  const tell = (command: ActorCommand) => {
    for (const process of processes) if (process.exitCode === null) writeLine(process, command);
  };

  const onEvent = (event: ActorEvent, processIndex: number) => {
    switch (event.kind) {
      case "ready":
        readyCount++;
        if (readyCount === processes.length) tell({ kind: "go" });
        return;
      case "progress":
        latest[processIndex] = event;
        options.onProgress(sumOf(latest));
        return;
      case "failed":
        throw new Error(event.message);
      case "result":
        results.push(event.result);
        if (event.result.role === "producer") tellTotal(event.result);
        // Only now may they go: members that leave would make the others' partitions move.
        if (results.length === options.tasks.length) tell({ kind: "end" });
    }
  };

  /** A consumer of its own stream hears of its producer, a member of a group of all producers together. */
  const tellTotal = ({ index, messagesInAll }: ActorResult) => {
    const isBalanced = options.job.placement === "balanced";
    const producers = results.filter(({ role }) => role === "producer");
    if (isBalanced && producers.length < producersCount) return;
    const total = producers.reduce((sum, producer) => sum + producer.messagesInAll, 0);
    for (const task of options.tasks) {
      if (task.role !== "consumer" || (!isBalanced && task.index !== index)) continue;
      tell({ kind: "total", index: task.index, messages: isBalanced ? total : messagesInAll });
    }
  };

  await Promise.all(
    processes.map(async (process, processIndex) => {
      for await (const line of linesOf(process.stdout)) {
        const event: ActorEvent = JSON.parse(line);
        onEvent(event, processIndex);
      }
      const exitCode = await process.exited;
      options.signal.throwIfAborted();
      if (exitCode !== 0) throw new Error(`an actor process ended with exit code ${exitCode}`);
    }),
  );
  return results;
}

function sumOf(counters: readonly ProgressCounter[]): ProgressCounter {
  const sum: ProgressCounter = { producedMessages: 0, consumedMessages: 0 };
  for (const counter of counters) {
    sum.producedMessages += counter.producedMessages;
    sum.consumedMessages += counter.consumedMessages;
  }
  return sum;
}
