// `npm test` with a selection: what is named runs and nothing else, and a name that nothing has is said to be wrong.
import { expect, test } from "bun:test";
import { join } from "node:path";

const root = join(import.meta.dir, "../..");

async function check(...options: string[]): Promise<{ status: number; lastLine: string; text: string }> {
  const child = Bun.spawn(["node", join(root, "scripts/check.mjs"), ...options], { stdout: "pipe", stderr: "pipe" });
  const [stdout, stderr] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
  return { status: await child.exited, lastLine: stdout.trim().split("\n").at(-1) ?? "", text: stdout + stderr };
}

test.each([
  [["tests/platform/assert.test.ts"], "3 passed, 0 failed, 0 skipped"],
  [["--only", "platform/assert"], "3 passed, 0 failed, 0 skipped"],
  [["tests/platform", "-t", "a rule that holds says nothing"], "1 passed, 0 failed, 0 skipped"],
  [["-t", "a rule that holds says nothing", "platform/assert", "platform/random"], "1 passed, 0 failed, 0 skipped"],
])("%j runs these alone", async (options, lastLine) => {
  expect(await check(...options)).toMatchObject({ status: 0, lastLine });
});

test("what nothing matches is an error that says so", async () => {
  const file = await check("tests/nowhere.test.ts");
  expect([file.status, file.text.includes('No test file matches "tests/nowhere.test.ts".')]).toEqual([1, true]);
  const name = await check("tests/platform/assert.test.ts", "-t", "no such name");
  expect([name.status, name.text.includes('No test has a name that matches "no such name".')]).toEqual([1, true]);
  expect((await check("--jobs", "many")).status).toBe(2);
});

test("--help teaches", async () => {
  const { status, text } = await check("--help");
  expect(status).toBe(0);
  for (const word of ["-t NAME", "--only", "Examples"]) expect(text).toContain(word);
});
