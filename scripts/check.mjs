// `npm test`: formatter and linter, type check, then every test, in that order, with one summary line at the end. Tests run
// a file at a time in processes of their own, so that one file's memory or a crash is not another's.
import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const bun = join(root, "scripts", "bun.mjs");
const usage = `npm test [-- --only PART]   format, lint, types, then every test file
  --only PART   only test files whose path contains PART, without the other checks`;

function run(title, command, args, options = {}) {
  console.log(`\n== ${title}`);
  const started = Date.now();
  const result = spawnSync(command, args, { cwd: root, stdio: "inherit", ...options });
  console.log(`-- ${title}: ${((Date.now() - started) / 1000).toFixed(1)} s`);
  return result;
}

function testFiles(directory) {
  return readdirSync(directory, { withFileTypes: true }).flatMap((entry) => {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) return testFiles(path);
    return entry.name.endsWith(".test.ts") ? [path] : [];
  });
}

/** Runs test files of one folder together; counts what Bun's summary says. */
function runTests(title, files) {
  const result = run(title, process.execPath, [bun, "test", "--timeout", "120000", ...files], {
    stdio: ["ignore", "pipe", "pipe"],
    maxBuffer: 1024 * 1024 * 1024,
    encoding: "utf8",
  });
  const output = `${result.stdout}${result.stderr}`;
  const count = (word) => Number(new RegExp(`^\\s*(\\d+) ${word}$`, "m").exec(output)?.[1] ?? 0);
  const counts = { passed: count("pass"), failed: count("fail"), skipped: count("skip") };
  // A file that cannot be loaded, or a process that dies, is a failure even where no test was counted.
  if (result.status !== 0 && counts.failed === 0) counts.failed = 1;
  if (counts.failed > 0)
    console.log(
      output
        .split("\n")
        .filter((line) => !line.startsWith("(pass)"))
        .join("\n"),
    );
  console.log(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`);
  return counts;
}

const args = process.argv.slice(2);
if (args.includes("--help")) {
  console.log(usage);
  process.exit(0);
}
const only = args[0] === "--only" ? args[1] : undefined;
const total = { passed: 0, failed: 0, skipped: 0 };

if (only === undefined) {
  const checks = [
    ["format and lint", process.execPath, [join(root, "node_modules", "@biomejs", "biome", "bin", "biome"), "ci", "."]],
    ["types", process.execPath, [join(root, "node_modules", "typescript", "bin", "tsc"), "-p", root, "--noEmit"]],
  ];
  for (const [title, command, commandArgs] of checks) {
    const isFine = run(title, command, commandArgs).status === 0;
    total[isFine ? "passed" : "failed"]++;
  }
}

const groups = new Map();
for (const file of testFiles(join(root, "tests"))) {
  const path = relative(root, file);
  if (only !== undefined && !path.includes(only)) continue;
  const folder = path.split(/[\\/]/).slice(0, -1).join("/");
  groups.set(folder, [...(groups.get(folder) ?? []), path]);
}
for (const [folder, files] of [...groups].sort(([left], [right]) => left.localeCompare(right))) {
  const counts = runTests(folder, files.sort());
  for (const key of Object.keys(total)) total[key] += counts[key];
}

console.log(`\n${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
process.exit(total.failed === 0 && total.passed > 0 ? 0 : 1);
