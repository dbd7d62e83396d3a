// Loss of power under load, at level sync: what was acknowledged is there afterwards, what was deleted is not. Hundreds of
// points: `node scripts/bun.mjs scripts/durability/power-loss.ts --points 500 --seed 1`.
import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { allRules, type Tree } from "./names.ts";
import { checkPoints, drawPoints, type RecordedRun, recordRun } from "./power-loss.ts";
import { makeRecorder, whyNotRecordable } from "./recorder.ts";
import { Replay } from "./replay.ts";

const reason = whyNotRecordable();
const pointsCount = 18;
const directory = mkdtempSync(join(tmpdir(), "whippet-power-run-"));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** Files of a directory by path. */
function filesOf(root: string): Tree["files"] {
  const paths = readdirSync(root, { recursive: true, withFileTypes: true }).filter((item) => item.isFile());
  return new Map(
    paths.map((item) => {
      const path = join(item.parentPath, item.name);
      return [path.slice(root.length + 1), new Uint8Array(readFileSync(path))];
    }),
  );
}

test.skipIf(reason !== undefined && process.env.CI !== "true")(
  "a power loss loses nothing that was acknowledged at level sync",
  async () => {
    if (reason !== undefined) throw new Error(reason);
    let atEnd: Tree["files"] = new Map();
    const options = { seed: 1, lifeMs: 1200 };
    const run: RecordedRun = await recordRun(makeRecorder(directory), directory, options, (backing) => {
      atEnd = filesOf(backing);
    });
    // The record is whole: played to its end it gives what the server left, byte for byte.
    for (const rules of allRules) {
      const replay = new Replay(rules);
      for (const entry of run.entries) replay.apply(entry);
      expect(replay.now().files).toEqual(atEnd);
    }
    const failed: { readonly point: unknown; readonly failures: readonly string[] }[] = [];
    await checkPoints(run, drawPoints(run, pointsCount), (point, failures) => {
      if (failures.length > 0) failed.push({ point, failures });
    });
    expect(failed).toEqual([]);
  },
  600_000,
);
