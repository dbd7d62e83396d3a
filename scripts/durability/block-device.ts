// Power losses below a real file system: the server runs under load on ext4, xfs or btrfs on a loop device, whose image lies
// on the recording file system, so that every write and flush of the device is known. The image is made as a loss of power
// may leave it, mounted (the file system repairs itself), and the server is started on it.
import { mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { seededRandom } from "../../src/platform/random.ts";
import { checkDirectory, cutAt, drawPoints, runLoad, syncDelayMicros } from "../../tests/power/power-loss.ts";
import { makeRecorder, Recorder, whyNotRecordable } from "../../tests/power/recorder.ts";
import { FailureKinds } from "./failure-kinds.ts";
import { ImageReplay } from "./image.ts";
import { settingsOf } from "./settings.ts";

const usage = `node scripts/bun.mjs scripts/durability/block-device.ts [--file-system ext4] [--points 50] [--seed 1] [--life-ms 4000] [--env K=V]`;
const imageBytes = 320 * 1024 * 1024;
const makers: Readonly<Record<string, readonly string[]>> = {
  ext4: ["mkfs.ext4", "-q", "-E", "nodiscard"],
  xfs: ["mkfs.xfs", "-q", "-K"],
  btrfs: ["mkfs.btrfs", "-q", "-K"],
};

const { values } = parseArgs({
  options: {
    "file-system": { type: "string", default: "ext4" },
    points: { type: "string", default: "50" },
    seed: { type: "string", default: "1" },
    "life-ms": { type: "string", default: "4000" },
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
const fileSystem = values["file-system"];
const maker = makers[fileSystem];
if (maker === undefined) throw new Error(usage);

function run(...command: readonly string[]): void {
  const { exitCode, stderr } = Bun.spawnSync([...command]);
  if (exitCode !== 0) throw new Error(`${command.join(" ")}: ${stderr}`);
}

/** Mounts an image for as long as `work` takes. */
async function mounted<T>(image: string, directory: string, work: () => Promise<T>): Promise<T> {
  mkdirSync(directory, { recursive: true });
  run("mount", "-o", "loop,nodiscard", image, directory);
  try {
    return await work();
  } finally {
    run("umount", directory);
  }
}

const directory = mkdtempSync(join(tmpdir(), "whippet-block-"));
const kinds = new FailureKinds();
let failedCount = 0;
let checkedCount = 0;
try {
  const env = settingsOf(values.env);
  const options = { seed: Number(values.seed), lifeMs: Number(values["life-ms"]), env };
  const recorder = await Recorder.start(makeRecorder(directory), directory, syncDelayMicros);
  const image = join(recorder.mount, "image");
  writeFileSync(image, "");
  truncateSync(image, imageBytes);
  run(...maker, image);
  const running = join(directory, "running");
  let loaded: Awaited<ReturnType<typeof runLoad>>;
  try {
    loaded = await mounted(image, running, () => runLoad(recorder, running, options));
  } finally {
    await recorder.stop();
  }
  const recorded = { ...loaded, entries: [...recorder.entries()], options };
  console.log(`${fileSystem}, seed ${values.seed}: ${loaded.turnsCount} turns, ${recorded.entries.length} entries`);
  const replay = new ImageReplay(join(directory, "flushed"), imageBytes);
  const waiting = drawPoints(recorded, Number(values.points)).sort((left, right) => left.at - right.at);
  for (const entry of recorded.entries) {
    for (; waiting[0] !== undefined && waiting[0].at < entry.end; waiting.shift()) {
      const point = waiting[0];
      const crashed = join(directory, "crashed");
      replay.writeCrash(crashed, seededRandom(point.seed));
      const after = join(directory, "after");
      const cut = cutAt(recorded, point.at, replay.micros);
      const { failures } = await mounted(crashed, after, () => checkDirectory(recorded, after, cut));
      checkedCount++;
      if (failures.length === 0) continue;
      failedCount++;
      for (const failure of failures) kinds.add(failure, JSON.stringify(point));
    }
    replay.apply(entry);
  }
  replay.close();
} finally {
  rmSync(directory, { recursive: true, force: true });
}
kinds.print();
console.log(`${checkedCount - failedCount} passed, ${failedCount} failed`);
process.exit(failedCount === 0 && checkedCount > 0 ? 0 : 1);
