// A process that runs actors: reads its job from stdin, connects, reports "ready", waits for "go", reports the results.
// It ends when its stdin does, so it does not outlive the coordinator.

import {
  type ActorCommand,
  type ActorEvent,
  type ActorJob,
  type ActorTask,
  linesOf,
  type ProgressCounter,
} from "./actor-messages.ts";
import { Consumer } from "./consumer.ts";
import { describeError } from "./describe-error.ts";
import { GroupMember } from "./group-member.ts";
import { openLink } from "./open-link.ts";
import { Producer } from "./producer.ts";
import { RoundTrip } from "./round-trip.ts";

const progressIntervalMs = 500;

type Actor = Producer | Consumer | GroupMember | RoundTrip;
type Reader = Consumer | GroupMember;

async function makeActor(job: ActorJob, task: ActorTask, progress: ProgressCounter): Promise<Actor> {
  const link = await openLink(job.target);
  switch (task.role) {
    case "producer":
      return new Producer(link, job, task, progress);
    case "end-to-end":
      return new RoundTrip(link, job.separate ? await openLink(job.target) : link, job, task, progress);
    case "consumer":
      if (job.placement === "balanced") return await GroupMember.join(link, job, task, progress);
      return new Consumer(link, job, task, progress);
  }
}

function say(event: ActorEvent): Promise<number> {
  return Bun.write(Bun.stdout, `${JSON.stringify(event)}\n`);
}

/** Runs the actors of one process; resolves with its exit code. */
export async function runActorProcess(): Promise<number> {
  // Ctrl-C reaches the whole group of processes; the coordinator decides what then happens to this one.
  process.on("SIGINT", () => undefined);
  try {
    const lines = linesOf(Bun.stdin.stream());
    const first = await lines.next();
    if (first.done === true) return 1;
    const job: ActorJob = JSON.parse(first.value);
    const progress: ProgressCounter = { producedMessages: 0, consumedMessages: 0 };
    const consumers = new Map<number, Reader>();
    const actors: Actor[] = [];
    for (const task of job.tasks) {
      const actor = await makeActor(job, task, progress);
      if (actor instanceof Consumer || actor instanceof GroupMember) consumers.set(task.index, actor);
      actors.push(actor);
    }
    const { promise: go, resolve: start } = Promise.withResolvers<void>();
    const { promise: allDone, resolve: end } = Promise.withResolvers<void>();
    void obey(lines, consumers, { start, end });
    await say({ kind: "ready" });
    await go;
    const timer = setInterval(() => void say({ kind: "progress", ...progress }), progressIntervalMs);
    await Promise.all(actors.map(async (actor) => say({ kind: "result", result: await actor.run() })));
    clearInterval(timer);
    await allDone;
    return 0;
  } catch (error) {
    await say({ kind: "failed", message: describeError(error) });
    return 1;
  }
}

async function obey(
  lines: AsyncGenerator<string>,
  consumers: ReadonlyMap<number, Reader>,
  { start, end }: { readonly start: () => void; readonly end: () => void },
): Promise<void> {
  for await (const line of lines) {
    const command: ActorCommand = JSON.parse(line);
    if (command.kind === "go") start();
    else if (command.kind === "end") end();
    else consumers.get(command.index)?.endAt(command.messages);
  }
  process.exit(1);
}
