// The program as a process: which words are the server's, which are the command's.

import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { join, resolve } from "node:path";
import packageJson from "../../package.json" with { type: "json" };
import { helpText } from "../../src/config/arguments.ts";

setDefaultTimeout(60_000);

const root = resolve(import.meta.dir, "../..");

async function whippet(...args: readonly string[]) {
  const command = [process.execPath, "--no-env-file", join(root, "src/process/main.ts"), ...args];
  const child = Bun.spawn(command, {
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
    env: { IGGY_HOME: "/nonexistent" },
  });
  const [stdout, stderr] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
  return { exitCode: await child.exited, stdout, stderr };
}

describe("the program", () => {
  test("is the server with the word, and with the server's own options", async () => {
    const help = { exitCode: 0, stdout: helpText(packageJson.version), stderr: "" };
    expect(await whippet("server", "--help")).toEqual(help);
    expect(await whippet("--fresh", "--help")).toEqual(help);
    const wrong = await whippet("--fresh", "--frsh");
    expect([wrong.exitCode, wrong.stderr]).toEqual([2, expect.stringContaining("did you mean --fresh?")]);
  });

  test("is the command with any other word", async () => {
    expect(await whippet("--version")).toEqual({ exitCode: 0, stdout: `whippet ${packageJson.version}\n`, stderr: "" });
    expect(await whippet("toString")).toMatchObject({ exitCode: 2, stdout: "" });
    expect(await whippet("strem")).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining("Did you mean stream?"),
    });
    expect(await whippet("bench", "--help")).toMatchObject({
      exitCode: 0,
      stdout: expect.stringContaining("npm run bench"),
    });
  });

  test("starts from a clone by npx and by npm", async () => {
    for (const command of [
      ["npx", "whippet"],
      ["npm", "run", "--silent", "whippet", "--"],
    ]) {
      const { exitCode, stdout } = Bun.spawnSync([...command, "--version"], { cwd: root });
      expect([exitCode, String(stdout)]).toEqual([0, `whippet ${packageJson.version}\n`]);
    }
  });
});
