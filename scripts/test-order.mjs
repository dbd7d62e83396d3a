// In which order the test files run, and what may run beside what (scripts/check.mjs).
import { dirname } from "node:path";

/**
 * Files and folders that wait for most of their time: for time-outs that a user may not set lower, for the brake on guessed
 * passwords, for the clocks of programs. They take little from what runs beside them. The last are the programs in other languages,
 * which are compiled meanwhile.
 */
const waiting = [
  "tests/security/idle-flood.test.ts",
  "tests/transport/slow-requests.test.ts",
  "tests/groups/connections.test.ts",
  "tests/security/connection-limits.test.ts",
  "tests/traps/transports.test.ts",
  "tests/transport/http-plain.test.ts",
  "tests/transport/quic.test.ts",
  "tests/security/large-frames.test.ts",
  "tests/transport/idle-scale.test.ts",
  "tests/security/lock-out.test.ts",
  "tests/transport/gone-record.test.ts",
  "tests/server/logins/refused-logins.test.ts",
  "tests/shard/loop-watch.test.ts",
  "tests/traps/heartbeat.test.ts",
  "tests/sdk",
];

/** No other may run beside these: what they measure is the memory of processes while the machine is busy with them. */
const alone = [
  "tests/fuzz/anonymous-sockets.test.ts",
  "tests/fuzz/hostile-client.test.ts",
  "tests/fuzz/readers.test.ts",
];

/** The slowest first, so that no long one is left over when the others are done. Those that are not named come after them. */
const slowestFirst = [
  "tests/transport",
  "tests/integration",
  "tests/matrix",
  "tests/simulation",
  "tests/browser/console",
  "tests/security",
  "tests/fuzz",
  "tests/groups",
  "tests/console",
  "tests/commands",
  "tests/power",
  "tests/crash",
];

/**
 * Parts test files into those that compute, those that wait, and those that run alone, each in the order in which to run them.
 * A part is a list of `{ title, files, needsTools }`: files that share a process, by folder, but for those that are named above.
 */
export function arrange(files) {
  const parts = new Map();
  for (const file of files) {
    const title = waiting.includes(file) || alone.includes(file) ? file : dirname(file);
    parts.set(title, [...(parts.get(title) ?? []), file]);
  }
  const inOrder = (order, isIn) => {
    const rank = (title) => (order.includes(title) ? order.indexOf(title) : order.length);
    return [...parts.keys()]
      .filter(isIn)
      .sort((left, right) => rank(left) - rank(right) || left.localeCompare(right))
      .map((title) => ({ title, files: parts.get(title), needsTools: title === "tests/sdk" }));
  };
  return {
    computing: inOrder(slowestFirst, (title) => !waiting.includes(title) && !alone.includes(title)),
    waiting: inOrder(waiting, (title) => waiting.includes(title)),
    alone: inOrder(alone, (title) => alone.includes(title)),
  };
}
