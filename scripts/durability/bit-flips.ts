// Flips each bit of a small data directory in turn, or as many as asked for, and starts metadata and storage on it in memory,
// or with --server the real server, from source or as an executable (--program), which also reads certificates and tokens. One line for each kind of failure, with the number of bits and an example; one at the end.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { seededRandom } from "../../src/platform/random.ts";
import { BitFlips } from "../../tests/power/bit-flips.ts";
import { ServerFlips } from "../../tests/power/server-flips.ts";
import { makeSmallDirectory } from "../../tests/power/small-directory.ts";
import { FailureKinds } from "./failure-kinds.ts";

const usage =
  "node scripts/bun.mjs scripts/durability/bit-flips.ts [--count N] [--seed 1] [--only PART-OF-PATH] [--server [--program FILE]]";

const { values } = parseArgs({
  options: {
    count: { type: "string" },
    seed: { type: "string", default: "1" },
    only: { type: "string", default: "" },
    server: { type: "boolean", default: false },
    program: { type: "string" },
    help: { type: "boolean", default: false },
  },
});
if (values.help) {
  console.log(usage);
  process.exit(0);
}

const directory = mkdtempSync(join(tmpdir(), "whippet-flips-"));
const small = await makeSmallDirectory(directory);
rmSync(directory, { recursive: true, force: true });
const flips = values.server ? await ServerFlips.of(small, values.program) : await BitFlips.of(small.files);
let chosen = flips.all().filter(({ path }) => path.includes(values.only));
if (values.count !== undefined) {
  const random = seededRandom(Number(values.seed));
  chosen = Array.from({ length: Number(values.count) }, () => chosen[random.u32() % chosen.length]!);
}
console.log(`${chosen.length} of ${flips.all().length} bits`);

const kinds = new FailureKinds();
let failedCount = 0;
let doneCount = 0;
for (const flip of chosen) {
  const { failures } = await flips.check(flip);
  if (++doneCount % 10_000 === 0) console.log(`${doneCount} of ${chosen.length}, ${failedCount} failed`);
  if (failures.length === 0) continue;
  failedCount++;
  for (const failure of failures) kinds.add(`${flip.path}: ${failure}`, `bit ${flip.bit}`);
}
kinds.print();
console.log(`${doneCount - failedCount} passed, ${failedCount} failed`);
process.exit(failedCount === 0 ? 0 : 1);
