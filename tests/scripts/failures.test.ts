// Why tests failed, as `npm test` repeats it at its end: what is left of a long report is its last part.
import { expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const root = join(import.meta.dir, "../..");

/** What `failuresIn` of scripts/failures.mjs, which has no types, says to an output. */
async function failuresIn(output: string): Promise<string> {
  const code = 'import { failuresIn } from "./scripts/failures.mjs"; console.log(failuresIn(await Bun.stdin.text()))';
  const options = { cwd: root, stdin: new Blob([output]), stdout: "pipe", stderr: "inherit" } as const;
  const child = Bun.spawn([process.execPath, "-e", code], options);
  return (await child.stdout.text()).trimEnd();
}

const numbered = (count: number): string[] => Array.from({ length: count }, (_, index) => `line ${index}`);

test("of a failed test its name, the first line of the error and the last 40 lines", async () => {
  const output = [
    "tests/a.test.ts:",
    "of the first",
    "(pass) the first [1.00ms]",
    "error: the second failed",
    ...numbered(100),
    "(fail) the second [2.00ms]",
    "of the third",
    "(pass) the third [1.00ms]",
    "1 tests failed:",
    "(fail) the second [2.00ms]",
  ];
  const last = numbered(100).slice(-40);
  const expected = ["error: the second failed", "…", ...last].map((line) => `  ${line}`);
  expect(await failuresIn(output.join("\n"))).toBe(["(fail) the second [2.00ms]", ...expected].join("\n"));
});

test("where no test failed by name, the end of everything", async () => {
  const output = [...numbered(50), "(pass) the first [1.00ms]", "panic: it died"].join("\n");
  expect(await failuresIn(output)).toBe("  panic: it died");
  expect((await failuresIn(numbered(50).join("\n"))).split("\n")).toEqual(
    numbered(50)
      .slice(-40)
      .map((line) => `  ${line}`),
  );
});

test("the runtime writes what is read here", async () => {
  const directory = mkdtempSync(join(tmpdir(), "whippet-failures-"));
  try {
    const file = join(directory, "some.test.ts");
    const long = 'Array.from({ length: 60 }, (_, index) => "line " + index).join("\\n")';
    writeFileSync(
      file,
      `import { expect, test } from "bun:test";
       test("right", () => { console.log("of the right one"); });
       test("wrong", () => { throw new Error("it is wrong\\n" + ${long}); });`,
    );
    const child = Bun.spawn([process.execPath, "test", file], { stdout: "pipe", stderr: "pipe" });
    const text = await failuresIn(await child.stderr.text());
    expect(text).toMatch(/^\(fail\) wrong/);
    expect(text).toContain("  error: it is wrong\n");
    expect(text).toContain("  line 59\n");
    expect(text).not.toContain("of the right one");
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
});
