// A process that runs actors: reads its job from stdin, connects, reports "ready", waits for "go", reports the results.
// It ends when its stdin does, so it does not outlive the coordinator.

import { TcpConnection } from "../client/index.ts";
import { encode } from "../protocol/codec.ts";
import { CommandCode } from "../protocol/codes.ts";
import { commandCodecs } from "../protocol/registry.ts";
import { type ActorCommand, type ActorEvent, type ActorJob, linesOf, type ProgressCounter } from "./actor-messages.ts";
import { Consumer } from "./consumer.ts";
import { describeError } from "./describe-error.ts";
import { Producer } from "./producer.ts";

const progressIntervalMs = 500;

async function connect(job: ActorJob): Promise<TcpConnection> {
  const connection = await TcpConnection.connect({ host: job.host, port: job.port });
  const { username, password } = job;
  const login = { username, password, version: undefined, context: undefined };
  await connection.request(CommandCode.loginUser, encode(commandCodecs.loginUser.request, login));
  return connection;
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
    const consumers = new Map<number, Consumer>();
    const actors: (Producer | Consumer)[] = [];
    for (const task of job.tasks) {
      const connection = await connect(job);
      if (task.role === "producer") {
        actors.push(new Producer(connection, job, task, progress));
      } else {
        const consumer = new Consumer(connection, job, task, progress);
        consumers.set(task.index, consumer);
        actors.push(consumer);
      }
    }
    const { promise: go, resolve: start } = Promise.withResolvers<void>();
    void obey(lines, consumers, start);
    await say({ kind: "ready" });
    await go;
    const timer = setInterval(() => void say({ kind: "progress", ...progress }), progressIntervalMs);
    await Promise.all(actors.map(async (actor) => say({ kind: "result", result: await actor.run() })));
    clearInterval(timer);
    return 0;
  } catch (error) {
    await say({ kind: "failed", message: describeError(error) });
    return 1;
  }
}

async function obey(
  lines: AsyncGenerator<string>,
  consumers: ReadonlyMap<number, Consumer>,
  start: () => void,
): Promise<void> {
  for await (const line of lines) {
    const command: ActorCommand = JSON.parse(line);
    if (command.kind === "go") start();
    else consumers.get(command.index)?.endAt(command.messages);
  }
  process.exit(1);
}
