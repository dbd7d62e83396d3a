// Power losses of the real server: it runs under load on the recording file system, and afterwards is started on what a loss
// of power at any moment of that run may have left.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Random, seededRandom } from "../../src/platform/random.ts";
import { checkBroker } from "../crash/check.ts";
import { type Cut, History } from "../crash/history.ts";
import { crashSettings } from "../crash/kill-rounds.ts";
import { Load } from "../crash/load.ts";
import { type ServerOptions, TestServer } from "../support/server.ts";
import { allRules, type Rules, type Tree } from "./names.ts";
import { type Entry, EntryKind } from "./record.ts";
import { Recorder } from "./recorder.ts";
import { Replay, writeTree } from "./replay.ts";

const saverIntervalMs = 1000;
/** A tick of the saver may take so long: a busy machine, a slow disk, a sync for each file. */
const tickMsMax = 3000;
/** A sync of that time leaves room for writes that it does not cover. */
export const syncDelayMicros = 1500;

export interface RunOptions {
  readonly seed: number;
  /** Milliseconds of load in each of three lives of the server, which end with SIGTERM, kill -9 and the end of the run. */
  readonly lifeMs: number;
  readonly env?: Readonly<Record<string, string>>;
}

function serverOptions(env: Readonly<Record<string, string>> = {}): ServerOptions {
  return {
    shards: 2,
    env: {
      ...crashSettings("sync"),
      IGGY_MESSAGE_SAVER_INTERVAL: `${saverIntervalMs} ms`,
      // The log of what the server says is not part of its data.
      IGGY_SYSTEM_LOGGING_FILE_ENABLED: "false",
      ...env,
    },
  };
}

/** One life of the server: from where it listens, in milliseconds since 1970, until it has stopped or is killed. */
export interface Life {
  readonly startMs: number;
  endMs: number;
  isStopped: boolean;
}

/** A run that is over: its record, and what its load was answered. */
export interface RecordedRun {
  readonly lives: readonly Life[];
  readonly history: History;
  readonly entries: readonly Entry[];
  /** Where the load begins in the record. */
  readonly start: number;
  readonly turnsCount: number;
  readonly options: RunOptions;
}

/** Runs the server under load below `directory`. `onEnd` is given the directory as it is at the end. */
export async function recordRun(
  program: string,
  directory: string,
  options: RunOptions,
  onEnd: (backing: string) => void = () => {},
): Promise<RecordedRun> {
  const recorder = await Recorder.start(program, directory, syncDelayMicros);
  try {
    const loaded = await runLoad(recorder, recorder.mount, options);
    onEnd(recorder.backing);
    return { ...loaded, entries: [...recorder.entries()], options };
  } finally {
    await recorder.stop();
  }
}

/** Runs the server in `directory` through its three lives and kills it; moments are places in the record. */
export async function runLoad(
  recorder: Recorder,
  directory: string,
  options: RunOptions,
): Promise<Pick<RecordedRun, "history" | "start" | "turnsCount" | "lives">> {
  const history = new History(() => recorder.position());
  const load = new Load(history, options.seed);
  const server = await TestServer.start(directory, serverOptions(options.env));
  try {
    await load.prepare(server);
    const start = recorder.position();
    const lives: Life[] = [];
    for (const end of ["stop", "kill", "none"] as const) {
      const life = { startMs: Date.now(), endMs: Number.POSITIVE_INFINITY, isStopped: end === "stop" };
      lives.push(life);
      await load.runFor(options.lifeMs, server);
      await load.stop();
      life.endMs = Date.now();
      if (end === "none") break;
      if (end === "stop") await server.stop();
      else await server.kill();
      // A stop syncs until its end; what a kill comes after is over before.
      if (end === "stop") life.endMs = Date.now();
      await server.restart();
    }
    return { history, start, turnsCount: load.turnsCount, lives };
  } finally {
    if (!server.hasEnded) await server.kill();
  }
}

/** One moment, and what of the unsynced is lost then. */
export interface CrashPoint {
  readonly number: number;
  readonly rules: Rules;
  /** Place in the record. */
  readonly at: number;
  readonly seed: number;
}

/** Half of them right behind any change, half at the moment of an answer. */
export function drawPoints(run: Omit<RecordedRun, "turnsCount">, count: number): CrashPoint[] {
  const random = seededRandom(run.options.seed ^ 0x5eed);
  const { open, openDirectory } = EntryKind;
  const changes = run.entries.filter(({ kind, end }) => end > run.start && kind !== open && kind !== openDirectory);
  const answers = answersOf(run.history).filter((at) => at > run.start && at < Number.POSITIVE_INFINITY);
  return Array.from({ length: count }, (_, number) => {
    const at =
      random.u32() % 2 === 0 ? changes[random.u32() % changes.length]!.end : answers[random.u32() % answers.length]!;
    return { number, rules: allRules[number % allRules.length]!, at, seed: random.u32() };
  });
}

/** Moments of all answers. */
function answersOf({ streams, users, tokens }: History): number[] {
  const lifetimes = [...streams, ...users, ...tokens, ...streams.flatMap(({ topics }) => topics)];
  const partitions = streams.flatMap(({ topics }) => topics.flatMap((topic) => topic.partitions));
  const calls = [
    ...lifetimes.flatMap(({ made, removed }) => [made, removed]),
    ...partitions.flatMap(({ sends, purges }) => [...sends.map(({ call }) => call), ...purges]),
  ];
  return calls.flatMap((call) => (call === undefined ? [] : [call.answeredAt]));
}

/** What was wrong at one point; nothing if all was right. */
export type OnPoint = (point: CrashPoint, failures: readonly string[], log: string) => void;

/**
 * Starts the server on what each of the points left. With a recorder's `program`, power is lost once more at some moment of
 * that start, and the server is started on what this left.
 */
export async function checkPoints(
  run: RecordedRun,
  points: readonly CrashPoint[],
  onPoint: OnPoint,
  program?: string,
): Promise<void> {
  const checkNext = async (replay: Replay, waiting: CrashPoint[]): Promise<void> => {
    const point = waiting.shift()!;
    const random = seededRandom(point.seed);
    let tree = replay.afterPowerLoss(random);
    if (program !== undefined) tree = await loseAgain(run, program, tree, point.rules, random);
    await checkTree(run, point, tree, replay.micros, onPoint);
  };
  for (const rules of allRules) {
    const replay = new Replay(rules);
    const waiting = points.filter((point) => point.rules === rules).sort((left, right) => left.at - right.at);
    for (const entry of run.entries) {
      // Before the first entry that ends behind the point: a point in the middle of one is before it.
      while (waiting[0] !== undefined && waiting[0].at < entry.end) await checkNext(replay, waiting);
      replay.apply(entry);
    }
    while (waiting.length > 0) await checkNext(replay, waiting);
  }
}

async function checkTree(
  run: RecordedRun,
  point: CrashPoint,
  tree: Tree,
  micros: number,
  onPoint: OnPoint,
): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), "whippet-power-"));
  try {
    writeTree(tree, directory);
    const { failures, log } = await checkDirectory(run, directory, cutAt(run, point.at, micros));
    onPoint(point, failures, log);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** Starts the server on `tree`, and gives what a loss of power at some moment of the start leaves. */
async function loseAgain(run: RecordedRun, program: string, tree: Tree, rules: Rules, random: Random): Promise<Tree> {
  const directory = mkdtempSync(join(tmpdir(), "whippet-again-"));
  const recorder = await Recorder.start(program, directory, syncDelayMicros);
  let server: TestServer | undefined;
  try {
    writeTree(tree, recorder.mount);
    const start = recorder.position();
    server = await TestServer.start(recorder.mount, serverOptions(run.options.env));
    await server.kill();
    const entries = [...recorder.entries()];
    const late = entries.filter(({ end }) => end > start);
    const at = late[random.u32() % late.length]!.end;
    const replay = new Replay(rules);
    for (const entry of entries.filter(({ end }) => end <= start)) replay.apply(entry);
    replay.syncAll();
    for (const entry of late.filter(({ end }) => end <= at)) replay.apply(entry);
    return replay.afterPowerLoss(random);
  } finally {
    if (server !== undefined && !server.hasEnded) await server.kill();
    await recorder.stop();
    rmSync(directory, { recursive: true, force: true });
  }
}

/** The crash at a place of the record, which was written at `micros`. */
export function cutAt({ lives }: Pick<RecordedRun, "lives">, at: number, micros: number): Cut {
  return { at, durableBeforeMs: durableBefore(lives, micros / 1000), isPowerLoss: true };
}

/**
 * Stored offsets that were answered before it are durable at `nowMs`: those of one of the saver's intervals and a long tick
 * ago, as far as this life of the server goes back; of a life before all, if it was stopped in good order, or what it had
 * synced itself.
 */
function durableBefore(lives: readonly Life[], nowMs: number): number {
  const life = lives.findLast(({ startMs }) => startMs <= nowMs);
  if (life === undefined) return 0;
  const before = Math.min(nowMs, life.endMs) - saverIntervalMs - tickMsMax;
  if (nowMs > life.endMs && life.isStopped) return life.endMs;
  if (before >= life.startMs) return before;
  return durableBefore(lives, life.startMs - 1);
}

/** Starts the server on what a crash has left in `directory`, and holds it against the history of the run. */
export async function checkDirectory(
  run: Pick<RecordedRun, "history" | "options">,
  directory: string,
  cut: Cut,
): Promise<{ readonly failures: readonly string[]; readonly log: string }> {
  let server: TestServer | undefined;
  try {
    server = await TestServer.start(directory, serverOptions(run.options.env));
    const failures = await checkBroker(run.history, cut, server, false);
    return { failures, log: server.log };
  } catch (error) {
    return { failures: [String(error)], log: server?.log ?? "" };
  } finally {
    if (server !== undefined && !server.hasEnded) await server.kill();
  }
}
