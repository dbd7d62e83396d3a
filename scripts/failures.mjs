// Why tests failed, for the end of a long report: what stands there is still seen where only the last part of it is kept.
import { stripVTControlCharacters } from "node:util";

const linesMax = 40;
const lineCharsMax = 500;

/** What ends the output of one test, and begins that of the next. */
const result = /^\((pass|fail|skip|todo)\) |^[✓✗»✎] /;
const fileName = /^\S+\.test\.ts:$/;

/**
 * The failed tests in the output of `bun test`: of each the line with its name, the first line of its error, and the last lines
 * of all that was written before its name. Where no test failed by name (a process that died, a file that cannot be loaded) the
 * last lines of the output.
 */
export function failuresIn(output) {
  const failures = new Map();
  let lines = [];
  for (const line of stripVTControlCharacters(output).split("\n")) {
    if (!result.test(line)) {
      if (fileName.test(line)) lines = [];
      else lines.push(line);
      continue;
    }
    // Bun repeats the names at its end.
    if (/^(\(fail\)|✗) /.test(line) && !failures.has(line)) failures.set(line, reason(lines));
    lines = [];
  }
  if (failures.size === 0) return reason(lines.length > 0 ? lines : output.split("\n"));
  return [...failures].map(([name, why]) => `${name}\n${why}`).join("\n");
}

function reason(lines) {
  const last = lines.slice(-linesMax);
  const error = lines.find((line) => /^error: /.test(line));
  const shown = error === undefined || last.includes(error) ? last : [error, "…", ...last];
  return shown.map((line) => `  ${line.slice(0, lineCharsMax)}`).join("\n");
}
