// The micro benchmark of the stages of a send, small, so that it cannot rot.
import { expect, test } from "bun:test";

const script = new URL("../../scripts/bench-stages.ts", import.meta.url).pathname;

async function run(...args: string[]) {
  const child = Bun.spawn([process.execPath, script, ...args], { stdout: "pipe", stderr: "pipe" });
  const [stdout, stderr] = await Promise.all([child.stdout.text(), child.stderr.text()]);
  return { exitCode: await child.exited, stdout, stderr };
}

test("every stage has a speed and a price", async () => {
  const { exitCode, stdout, stderr } = await run("--messages", "50", "--bytes", "300", "--batches", "40");
  expect(stderr).toBe("");
  expect(exitCode).toBe(0);
  const rows = stdout.trim().split("\n").slice(1);
  expect(rows.map((row) => row.split(" ")[0]!)).toEqual(["receive", "validate", "stamp", "write", "reply"]);
  for (const row of rows) expect(row).toMatch(/^\w+ +[1-9]\d* +\d+\.\d$/);
});

test("a number that is none is refused", async () => {
  const { exitCode, stderr } = await run("--messages", "0");
  expect(exitCode).not.toBe(0);
  expect(stderr).toContain("whole numbers above 0");
});
