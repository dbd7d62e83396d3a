// `npm test`: formatter and linter, type check, then every test, with one summary line at the end. With a selection (`npm test
// -- FILE -t NAME`) only the tests that it names run, and their output is shown as it comes.
//
// The test files of one folder share a process: starting one for each file would cost a third of the whole time. Two such
// processes run side by side, because most tests of a server wait more than they compute: one lane begins with what computes,
// the other with what waits for clocks (scripts/test-order.mjs), and each goes on with what the other has left. What needs
// compiling first, for the clients in other languages, is compiled meanwhile, with the processor time that nobody wants.
import { spawn } from "node:child_process";
import { readdirSync } from "node:fs";
import { constants, setPriority } from "node:os";
import { dirname, isAbsolute, join, relative, resolve, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs, stripVTControlCharacters } from "node:util";
import { failuresIn } from "./failures.mjs";
import { arrange } from "./test-order.mjs";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const bun = join(root, "scripts", "bun.mjs");
const usage = `npm test                        format, lint, types, then every test
npm test -- WHAT... [-t NAME]   only the tests of WHAT, without the other checks

  WHAT        a test file, a folder, or a part of the path of test files
  -t NAME     only tests whose name matches the regular expression NAME (a name is that of its describes and its own)
  --only WHAT the same as WHAT
  --jobs N    folders that run side by side: 2 when everything runs, otherwise 1; always 1 with WHIPPET_QUIET_MACHINE=1, which
              adds limits of time
  --help

Examples
  npm test -- tests/storage/poll.test.ts -t "times never go back"
  npm test -- tests/groups
  npm test -- websocket`;

const isInColour = process.stdout.isTTY === true;
const running = new Set();
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
  process.on(signal, () => {
    for (const child of running) child.kill(signal);
    process.exit(130);
  });
}

/**
 * Runs a command in the repository; resolves with its status and its whole output. `isShown`: the output is shown as it comes.
 * `priority` is that of the system's scheduler (os.setPriority).
 */
function run(command, args, isShown, priority = constants.priority.PRIORITY_NORMAL) {
  const env = isInColour ? { ...process.env, FORCE_COLOR: "1" } : process.env;
  const child = spawn(command, args, { cwd: root, stdio: ["ignore", "pipe", "pipe"], env });
  running.add(child);
  if (priority !== constants.priority.PRIORITY_NORMAL && child.pid !== undefined) setPriority(child.pid, priority);
  let output = "";
  for (const [stream, target] of [
    [child.stdout, process.stdout],
    [child.stderr, process.stderr],
  ]) {
    stream.setEncoding("utf8");
    stream.on("data", (text) => {
      output += text;
      if (isShown) target.write(text);
    });
  }
  return new Promise((done, fail) => {
    child.on("error", fail);
    child.on("close", (status) => {
      running.delete(child);
      done({ status, output });
    });
  });
}

function testFiles(directory) {
  return readdirSync(directory, { withFileTypes: true }).flatMap((entry) => {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) return testFiles(path);
    return entry.name.endsWith(".test.ts") ? [relative(root, path).split(sep).join("/")] : [];
  });
}

/** The files that `what` names: by its path from here or from the root, or by a part of theirs. */
function selected(what, files) {
  const here = process.env.INIT_CWD ?? root;
  const paths = [relative(root, resolve(here, what)), isAbsolute(what) ? relative(root, what) : what].map((path) =>
    path.split(sep).join("/").replace(/^\.\//, "").replace(/\/$/, ""),
  );
  const exact = files.filter((file) => paths.some((path) => file === path || file.startsWith(`${path}/`)));
  return exact.length > 0 ? exact : files.filter((file) => file.includes(paths[1]));
}

/** A line about what has ended. */
function report(title, startMs, result = "") {
  const seconds = ((Date.now() - startMs) / 1000).toFixed(1);
  console.log(`${title.padEnd(44)} ${seconds.padStart(6)} s  ${result}`.trimEnd());
}

/** Runs some test files in one process and counts what Bun's summary says; `failures`: why tests failed, if their output is not shown. */
async function runTests(title, files, { name, isShown }) {
  const startMs = Date.now();
  const filter = name === undefined ? [] : ["-t", name];
  const args = [bun, "test", "--timeout", "300000", ...filter, ...files.map((file) => `./${file}`)];
  const { status, output } = await run(process.execPath, args, isShown);
  const plain = stripVTControlCharacters(output);
  const count = (word) => Number(new RegExp(`^\\s*(\\d+) ${word}$`, "m").exec(plain)?.[1] ?? 0);
  const counts = { passed: count("pass"), failed: count("fail"), skipped: count("skip") + count("todo"), failures: [] };
  const isUnmatched = name !== undefined && /^error: regex .* matched 0 tests/m.test(plain);
  // A file that cannot be loaded, or a process that dies, is a failure even where no test was counted.
  if (status !== 0 && counts.failed === 0 && !isUnmatched) counts.failed = 1;
  if (isUnmatched) return counts;
  report(title, startMs, summary(counts));
  if (counts.failed > 0 && !isShown) {
    const lines = output.split("\n").filter((line) => !/^(\(pass\)|✓)/.test(stripVTControlCharacters(line)));
    console.log(lines.join("\n"));
    counts.failures.push(`${title}:\n${failuresIn(output)}`);
  }
  return counts;
}

function summary({ passed, failed, skipped }) {
  return `${passed} passed, ${failed} failed, ${skipped} skipped`;
}

/** Runs all files, `jobs` processes at a time; resolves with the sum of what they counted. */
async function runAll(files, jobs, { prepared, ...options }) {
  const total = { passed: 0, failed: 0, skipped: 0, failures: [] };
  const { computing, waiting, alone } = arrange(files);
  const runOne = async ({ title, files, needsTools }) => {
    if (needsTools) await prepared;
    const { failures, ...counts } = await runTests(title, files, options);
    total.failures.push(...failures);
    for (const key of Object.keys(counts)) total[key] += counts[key];
  };
  const lanes = Array.from({ length: jobs }, async (_, lane) => {
    const [first, second] = lane === 1 ? [waiting, computing] : [computing, waiting];
    for (let next = first.shift() ?? second.shift(); next !== undefined; next = first.shift() ?? second.shift())
      await runOne(next);
  });
  await Promise.all(lanes);
  for (const next of alone) await runOne(next);
  return total;
}

/**
 * Begins to fetch and compile what the tests of tests/sdk run, and resolves when that is done. Those tests do the same and then
 * find it done, so that nothing depends on this; where it fails, they say why.
 */
async function prepareTools() {
  const startMs = Date.now();
  const prepared = run(process.execPath, [bun, "tests/sdk/prepare.ts"], false, constants.priority.PRIORITY_LOW);
  const { status, output } = await prepared;
  const said = output.trim();
  report("clients of other languages", startMs, status === 0 ? said || "prepared" : `not prepared: ${said}`);
}

/** The arguments, or undefined after saying what is wrong with them. */
function parse(args) {
  try {
    const options = {
      "test-name-pattern": { type: "string", short: "t" },
      only: { type: "string", multiple: true, default: [] },
      jobs: { type: "string" },
      help: { type: "boolean", short: "h", default: false },
    };
    const { values, positionals } = parseArgs({ args, options, allowPositionals: true });
    if (values.jobs !== undefined && !/^[1-9]\d?$/.test(values.jobs))
      throw new Error("--jobs takes a number from 1 to 99");
    return { name: values["test-name-pattern"], what: [...positionals, ...values.only], ...values };
  } catch (error) {
    console.error(`${error.message}\n\n${usage}`);
    return undefined;
  }
}

async function main() {
  const options = parse(process.argv.slice(2));
  if (options === undefined) return 2;
  if (options.help) {
    console.log(usage);
    return 0;
  }
  const { name, what } = options;
  const all = testFiles(join(root, "tests")).sort();
  const found = what.map((part) => [part, selected(part, all)]);
  const unmatched = found.filter(([, files]) => files.length === 0).map(([part]) => part);
  if (unmatched.length > 0) {
    console.error(`No test file matches ${unmatched.map((part) => `"${part}"`).join(", ")}.`);
    return 1;
  }
  const files = what.length === 0 ? all : [...new Set(found.flatMap(([, matching]) => matching))].sort();
  const isSelection = what.length > 0 || name !== undefined;
  const total = { passed: 0, failed: 0, skipped: 0 };
  const failures = [];

  const prepared = isSelection ? undefined : prepareTools();
  if (!isSelection) {
    const modules = join(root, "node_modules");
    for (const [title, ...command] of [
      ["format and lint", join(modules, "@biomejs", "biome", "bin", "biome"), "ci", "."],
      ["types", join(modules, "typescript", "bin", "tsc"), "-p", root, "--noEmit"],
      // What pages import has to do without the types of Bun and Node.
      ["types of the client", join(modules, "typescript", "bin", "tsc"), "-p", join(root, "tsconfig.client.json")],
      ["types of the page", join(modules, "typescript", "bin", "tsc"), "-p", join(root, "src", "web"), "--noEmit"],
    ]) {
      const startMs = Date.now();
      const { status, output } = await run(process.execPath, command, false);
      total[status === 0 ? "passed" : "failed"]++;
      report(title, startMs);
      if (status !== 0) {
        console.log(output);
        failures.push(`${title}:\n${failuresIn(output)}`);
      }
    }
  }

  const isQuiet = process.env.WHIPPET_QUIET_MACHINE === "1";
  const jobs = isQuiet ? 1 : Number(options.jobs ?? (isSelection ? 1 : 2));
  if (jobs === 1) await prepared; // nothing beside anything
  const counts = await runAll(files, jobs, { name, isShown: isSelection && jobs === 1, prepared });
  for (const key of Object.keys(total)) total[key] += counts[key];
  failures.push(...counts.failures);
  if (failures.length > 0) console.log(`\nWhat failed, and the end of what it said:\n\n${failures.join("\n\n")}`);
  if (total.passed + total.failed + total.skipped === 0) console.error(`No test has a name that matches "${name}".`);
  console.log(`\n${summary(total)}`);
  return total.failed === 0 && total.passed + total.skipped > 0 ? 0 : 1;
}

process.exitCode = await main();
