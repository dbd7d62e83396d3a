// What a client's program does to be measured, the same for every client. These files run in Node, as their users would run them:
// types only where they can be stripped, and the peers' packages from the folder that they are installed in.

import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

/** A client that is connected; topics have one partition, and lie in files. */
export type Session = {
  newTopic(topic: string): Promise<void>;
  /** Sends batches of a thousand as fast as the client takes them while `goesOn()`; resolves with how many messages are stored. */
  sendBatches(topic: string, payload: Uint8Array, goesOn: () => boolean): Promise<number>;
  /** Sends messages one by one, without waiting for each, while `goesOn()`; resolves with how many are stored. */
  sendSingles(topic: string, payload: Uint8Array, goesOn: () => boolean): Promise<number>;
  /** Calls `onMessage` for every message from the first one on until it returns false. */
  consume(topic: string, onMessage: () => boolean): Promise<void>;
  close(): Promise<void>;
};

/** How a program is started: the port of its broker on 127.0.0.1, and where packages are. */
export type DriverOptions = {
  readonly port: number;
  /** Folder with `node_modules`. */
  readonly packages: string;
  readonly messageSizeBytes: number;
  readonly warmupMs: number;
  readonly measuredMs: number;
};

/** Messages in a batch. */
export const batchMessages = 1_000;
/** Batches under way, where a client leaves that to its user; as many as Whippet's client has by itself. */
export const batchesUnderWay = 4;
/** Single sends under way, where a client leaves that to its user. */
export const singlesUnderWay = 4_096;
/** How often a loop that never waits looks at the clock. */
const checkEvery = 64;

/** Messages each second. */
export type ClientFigures = { readonly batches: number; readonly singles: number; readonly consume: number };

/** A package of that folder, whatever this project has installed. */
export async function packageOf<T>(packages: string, name: string): Promise<T> {
  const path = createRequire(pathToFileURL(`${packages}/package.json`)).resolve(name);
  return (await import(pathToFileURL(path).href)) as T;
}

/** True until so many milliseconds have gone by, from the first call on. */
function forMs(milliseconds: number): () => boolean {
  let deadline: number | undefined;
  let calls = 0;
  return () => {
    deadline ??= performance.now() + milliseconds;
    return calls++ % checkEvery !== 0 || performance.now() < deadline;
  };
}

/** True for a batch: the clock is looked at each time. */
function batchesForMs(milliseconds: number): () => boolean {
  const deadline = performance.now() + milliseconds;
  return () => performance.now() < deadline;
}

async function rateOf(work: () => Promise<number>): Promise<{ readonly rate: number; readonly count: number }> {
  const startMs = performance.now();
  const count = await work();
  return { rate: (count / (performance.now() - startMs)) * 1_000, count };
}

/** From the first message that arrives to the last one: what it takes to join a group before, or to leave it, is another matter. */
async function consumeRate(session: Session, topic: string, count: number): Promise<number> {
  let [firstMs, lastMs, handled] = [0, 0, 0];
  await session.consume(topic, () => {
    if (handled++ === 0) firstMs = performance.now();
    if (handled === count) lastMs = performance.now();
    return handled < count;
  });
  if (handled < count) throw new Error(`${handled} of ${count} messages came`);
  return ((count - 1) / (lastMs - firstMs)) * 1_000;
}

async function round(
  session: Session,
  payload: Uint8Array,
  name: string,
  milliseconds: number,
): Promise<ClientFigures> {
  await session.newTopic(`batches-${name}`);
  await session.newTopic(`singles-${name}`);
  const batches = await rateOf(() => session.sendBatches(`batches-${name}`, payload, batchesForMs(milliseconds)));
  const consume = await consumeRate(session, `batches-${name}`, batches.count);
  const singles = await rateOf(() => session.sendSingles(`singles-${name}`, payload, forMs(milliseconds)));
  return { batches: batches.rate, singles: singles.rate, consume };
}

/** The whole program: warm-up, measured part, and one line of JSON with its {@link ClientFigures}. */
export async function drive(open: (options: DriverOptions) => Promise<Session>): Promise<void> {
  const options: DriverOptions = JSON.parse(process.argv[2] ?? "{}");
  const session = await open(options);
  const payload = new Uint8Array(options.messageSizeBytes).fill(120);
  await round(session, payload, "warm", options.warmupMs);
  const figures = await round(session, payload, "measured", options.measuredMs);
  await session.close();
  console.log(JSON.stringify(figures));
}

/**
 * Starts `work` again and again while `goesOn()`, never more than `underWay` at a time, and waits for all of it; resolves with how often
 * it was started. Rejects with the first error.
 */
export async function pipelined(
  underWay: number,
  goesOn: () => boolean,
  work: () => Promise<unknown>,
): Promise<number> {
  let [started, open] = [0, 0];
  let failed: { readonly error: unknown } | undefined;
  let wake: (() => void) | undefined;
  const onEnd = () => {
    open--;
    wake?.();
  };
  const onError = (error: unknown) => {
    failed ??= { error };
    onEnd();
  };
  const room = (limit: number) =>
    new Promise<void>((resolve) => {
      wake = () => {
        if (open < limit) resolve();
      };
      wake();
    });
  while (failed === undefined && goesOn()) {
    if (open >= underWay) await room(underWay);
    open++;
    started++;
    work().then(onEnd, onError);
  }
  await room(1);
  if (failed !== undefined) throw failed.error;
  return started;
}
