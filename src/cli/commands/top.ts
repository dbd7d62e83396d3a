// `whippet top`: what happens on a server, again and again.

import type { Client } from "../../client/index.bun.ts";
import { type Command, serverCommand } from "../command.ts";
import type { Output } from "../output/output.ts";
import { flag, optionOr } from "../parameters.ts";
import { ExitCode } from "../problems.ts";
import type { Session } from "../session.ts";
import { type Changes, changesDocument, changesOf } from "../top/changes.ts";
import { takeSample } from "../top/sample.ts";
import { TerminalTop } from "../top/terminal-top.ts";
import { UsageError } from "../usage-error.ts";

const intervalSecondsMin = 0.1;
const intervalSecondsMax = 3_600;
/** Who sits before a screen sees something so soon. */
const firstScreenMs = 500;

function intervalMs(given: string): number {
  const seconds = /^\d+(\.\d+)?$/.test(given) ? Number(given) : Number.NaN;
  if (!(seconds >= intervalSecondsMin && seconds <= intervalSecondsMax)) {
    throw new UsageError(`is not a number of seconds from ${intervalSecondsMin} to ${intervalSecondsMax}`);
  }
  return seconds * 1000;
}

const top = serverCommand({
  words: ["top"],
  summary: "Watch topics, groups and clients as they change",
  details:
    "In a terminal: q ends, t, g and c show topics, groups with their partitions, and clients, s sorts by the next column, " +
    "/ takes a filter, the space bar pauses. In a pipe, with --once or --json: one object a line for each interval, with " +
    "bytes, microseconds and rates for each second. OUT is what groups have committed. What the rights do not allow is left out, with a word.",
  examples: ["top", "top -d 5", "top --once | jq .lag", "top | jq -c '{time, lag}'"],
  options: {
    delay: optionOr("-d, --delay <SECONDS>", intervalMs, 2_000, "Seconds between two looks (2)"),
    once: flag("--once", "One object for one interval, and the end"),
  },
  lasts: true,
  async run(client, { delay, once }, output, session) {
    const { address } = await session.target();
    const isScreen = output.isTerminal && output.format === "table" && !once;
    if (isScreen) return await watch(client, delay, output, session, address);
    for await (const changes of intervals(client, { delayMs: delay, firstMs: delay }, session, session.signal)) {
      await output.object(changesDocument(address, changes));
      if (once) return ExitCode.done;
    }
    return ExitCode.done;
  },
});

async function watch(client: Client, delayMs: number, output: Output, session: Session, address: string) {
  const { stdin } = session.host;
  const screen = new TerminalTop(address, output, stdin.isTerminal ? stdin : undefined);
  await screen.run(async () => {
    const signal = AbortSignal.any([session.signal, screen.signal]);
    for await (const changes of intervals(
      client,
      { delayMs, firstMs: Math.min(delayMs, firstScreenMs) },
      session,
      signal,
    )) {
      if (!screen.isPaused) await screen.show(changes);
    }
  });
  return screen.isInterrupted ? ExitCode.interrupted : ExitCode.done;
}

/** What happened in each interval, from the end of the first one on, until `signal` aborts. */
async function* intervals(
  client: Client,
  { delayMs, firstMs }: { readonly delayMs: number; readonly firstMs: number },
  { host: { nowMs } }: Session,
  signal: AbortSignal,
): AsyncGenerator<Changes> {
  // An answer that does not come, from a server that has gone, must not hold up the end.
  const { promise: ended, resolve } = Promise.withResolvers<undefined>();
  signal.addEventListener("abort", () => resolve(undefined), { once: true });
  let before = await Promise.race([takeSample(client, nowMs), ended]);
  let waitMs = firstMs;
  while (before !== undefined && !signal.aborted) {
    await Promise.race([Bun.sleep(waitMs), ended]);
    waitMs = delayMs;
    if (signal.aborted) return;
    const now = await Promise.race([takeSample(client, nowMs), ended]);
    if (now === undefined) return;
    yield changesOf(before, now);
    before = now;
  }
}

export const commands: readonly Command[] = [top];
