// What the console costs whoever looks at it, and the broker: see the parts in scripts/console/. For a quiet machine; the suite has
// no limits in milliseconds.
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { endChildrenWithScript } from "./children.ts";
import { measureIdle } from "./console/idle.ts";
import { measureLoad } from "./console/load.ts";
import { measureStart } from "./console/start.ts";
import { measureTopics } from "./console/topics.ts";

const usage = `What the console costs, in Debian's Chromium.

Usage: node scripts/bun.mjs scripts/measure-console.ts topics|load|idle|start|all [options]
  topics   keys in the filter of a stream with many topics, and scrolling
  load     throughput of producers, and processor time of the broker for a megabyte, without and with an open console
  idle     requests of open pages while nothing happens
  start    first request of the page from source and from the executable; memory with history and without

  --topics N      of \`topics\` (10000)
  --keys N        pressed at least (200)
  --rounds N      of \`load\`: turns without, with the overview, without, with a live tail (10)
  --turn N        seconds of a turn (3)
  --producers N   each with a partition of its own (1)
  --shards N      of \`load\` (1)
  --seconds N     of \`idle\`, and of \`start\` until memory is read (60)
  --starts N      of \`start\`, of each kind (5)
  --program FILE  the executable (dist/whippet)
`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    topics: { type: "string", default: "10000" },
    keys: { type: "string", default: "200" },
    rounds: { type: "string", default: "10" },
    turn: { type: "string", default: "3" },
    producers: { type: "string", default: "1" },
    shards: { type: "string", default: "1" },
    seconds: { type: "string", default: "60" },
    starts: { type: "string", default: "5" },
    program: { type: "string", default: resolve(import.meta.dir, "../dist/whippet") },
    help: { type: "boolean", default: false },
  },
});

const seconds = Number(values.seconds);
const parts = {
  topics: () => measureTopics({ topics: Number(values.topics), keys: Number(values.keys) }),
  load: () =>
    measureLoad({
      rounds: Number(values.rounds),
      seconds: Number(values.turn),
      producers: Number(values.producers),
      shards: Number(values.shards),
    }),
  idle: () => measureIdle({ seconds }),
  start: () => measureStart({ rounds: Number(values.starts), seconds, program: resolve(values.program) }),
} as const;

const [what = ""] = positionals;
if (values.help || !(what === "all" || Object.hasOwn(parts, what))) {
  console.log(usage);
  process.exit(values.help ? 0 : 2);
}
endChildrenWithScript();
for (const [name, measure] of Object.entries(parts)) {
  if (what !== "all" && what !== name) continue;
  console.log(`-- ${name}`);
  await measure();
}
