// Power losses of the real server at many moments of a run under load; with --twice also in the start that follows. One line
// for each kind of failure, one at the end.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { checkPoints, drawPoints, type OnPoint, recordRun } from "../../tests/power/power-loss.ts";
import { makeRecorder, whyNotRecordable } from "../../tests/power/recorder.ts";
import { FailureKinds } from "./failure-kinds.ts";
import { loadRun, saveRun } from "./saved-run.ts";
import { settingsOf } from "./settings.ts";

const usage = `node scripts/bun.mjs scripts/durability/power-loss.ts [options]
  --points 500        moments to look at
  --seed 1            of the load, of the moments and of what is lost
  --life-ms 6000      load in each of the three lives of the server
  --twice             power is lost again in the start that follows
  --env KEY=VALUE     a setting of the server
  --keep DIRECTORY    keeps the run there if a point fails
  --from DIRECTORY    looks at such a run again; two runs of one seed differ, as two runs of any server do
  --only NUMBER       this point only
  --log               prints the server's log of each failed point`;

const { values } = parseArgs({
  options: {
    points: { type: "string", default: "500" },
    seed: { type: "string", default: "1" },
    "life-ms": { type: "string", default: "6000" },
    log: { type: "boolean", default: false },
    keep: { type: "string" },
    from: { type: "string" },
    only: { type: "string" },
    twice: { type: "boolean", default: false },
    env: { type: "string", multiple: true, default: [] },
    help: { type: "boolean", default: false },
  },
});
if (values.help) {
  console.log(usage);
  process.exit(0);
}
const reason = whyNotRecordable();
if (reason !== undefined) throw new Error(reason);

const directory = mkdtempSync(join(tmpdir(), "whippet-power-run-"));
const kinds = new FailureKinds();
let failedCount = 0;
let checkedCount = 0;
try {
  const env = settingsOf(values.env);
  const options = { seed: Number(values.seed), lifeMs: Number(values["life-ms"]), env };
  const program = makeRecorder(directory);
  const run = values.from === undefined ? await recordRun(program, directory, options) : loadRun(values.from);
  console.log(`seed ${values.seed}: ${run.turnsCount} turns of the load, ${run.entries.length} entries in the record`);
  const drawn = drawPoints(run, Number(values.points));
  const points = values.only === undefined ? drawn : drawn.filter(({ number }) => number === Number(values.only));
  const onPoint: OnPoint = (point, failures, log) => {
    checkedCount++;
    if (checkedCount % 50 === 0) console.log(`${checkedCount} of ${points.length}, ${failedCount} failed`);
    if (failures.length === 0) return;
    failedCount++;
    for (const failure of failures) kinds.add(failure, JSON.stringify(point));
    if (values.log) console.log(`FAILED ${JSON.stringify(point)}\n${failures.join("\n")}\n${log}`);
  };
  await checkPoints(run, points, onPoint, values.twice ? program : undefined);
  if (failedCount > 0 && values.keep !== undefined) saveRun(run, join(directory, "record"), values.keep);
} finally {
  rmSync(directory, { recursive: true, force: true });
}
kinds.print();
console.log(`${checkedCount - failedCount} passed, ${failedCount} failed`);
process.exit(failedCount === 0 && checkedCount > 0 ? 0 : 1);
