// Flipped bits at rest, drawn at random; every bit: `node scripts/bun.mjs scripts/durability/bit-flips.ts`, and with
// `--server --count 200` for the real server.
import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { seededRandom } from "../../src/platform/random.ts";
import { BitFlips } from "./bit-flips.ts";
import { makeSmallDirectory } from "./small-directory.ts";

const flipsCount = 2000;
const directory = mkdtempSync(join(tmpdir(), "whippet-flips-"));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

test("a flipped bit costs at most one message, stops no start, and is told", async () => {
  const flips = await BitFlips.of((await makeSmallDirectory(directory)).files);
  const all = flips.all();
  const random = seededRandom(1);
  const failed: unknown[] = [];
  for (let count = 0; count < flipsCount; count++) {
    const flip = all[random.u32() % all.length]!;
    const { failures } = await flips.check(flip);
    if (failures.length > 0) failed.push({ flip, failures });
  }
  expect(failed).toEqual([]);
}, 300_000);
