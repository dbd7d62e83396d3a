// `whippet/embedded` and `whippet/spawn` as a project has them that installed the package: packed, unpacked beside what it depends
// on, and imported by name, in Bun and in Node; and from a clone.
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { buildTesting } from "../../scripts/build-testing.ts";
import { eventually } from "../support/process-facts.ts";

setDefaultTimeout(240_000);
const root = resolve(import.meta.dir, "../..");
let project = "";

async function run(command: readonly string[], cwd: string): Promise<string> {
  const child = Bun.spawn([...command], { cwd, stdout: "pipe", stderr: "pipe", timeout: 120_000 });
  const [output, errors] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
  if ((await child.exited) !== 0) throw new Error(`${command.join(" ")}:\n${output}${errors}`);
  return output.trim();
}

beforeAll(async () => {
  project = mkdtempSync(join(tmpdir(), "testing-package-"));
  await buildTesting(join(root, "dist/testing"));
  const packed = await run(["npm", "pack", "--json", "--offline", "--pack-destination", project], root);
  const [{ filename }] = JSON.parse(packed.slice(packed.indexOf("[\n")));
  const modules = join(project, "node_modules");
  mkdirSync(join(modules, "whippet"), { recursive: true });
  await run(["tar", "xzf", join(project, filename), "--strip-components=1", "-C", join(modules, "whippet")], project);
  for (const name of readdirSync(join(root, "node_modules"))) {
    if (!name.startsWith(".")) symlinkSync(join(root, "node_modules", name), join(modules, name));
  }
  await Bun.write(join(project, "package.json"), JSON.stringify({ type: "module" }));
});

afterAll(() => rmSync(project, { recursive: true, force: true }));

/** The examples of docs/testing.md. */
function examples(): string[] {
  const page = readFileSync(join(root, "docs/testing.md"), "utf8");
  return [...page.matchAll(/```ts\n([^`]+)```/g)].map(([, block = ""]) => block);
}

test("the examples of docs/testing.md compile in a strict project, and run", async () => {
  const [embedded = "", spawned = "", ...more] = examples();
  expect(more).toEqual([]);
  await Bun.write(join(project, "example.test.ts"), embedded);
  await Bun.write(join(project, "example.ts"), spawned);
  const compilerOptions = {
    target: "ES2023",
    lib: ["ESNext", "DOM"],
    module: "NodeNext",
    types: [],
    typeRoots: [],
    strict: true,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    skipLibCheck: false,
    noEmit: true,
  };
  const declared =
    'declare module "bun:test" { export const expect: (value: unknown) => Record<"toBe" | "toHaveLength", (value: unknown) => void>; export function test(name: string, body: () => Promise<void>): void; }';
  await Bun.write(join(project, "bun-test.d.ts"), declared);
  const files = ["bun-test.d.ts", "example.test.ts", "example.ts"];
  await Bun.write(join(project, "tsconfig.json"), JSON.stringify({ compilerOptions, files }));
  await run([process.execPath, join(root, "node_modules/typescript/bin/tsc"), "-p", "."], project);
  await run([process.execPath, "test", "example.test.ts"], project);
  expect(await run([process.execPath, "example.ts"], project)).toMatch(/^iggy:\/\/iggy:iggy@127\.0\.0\.1:\d+$/);
});

const program = `
import { spawnBroker } from "whippet/spawn";
const broker = await spawnBroker();
const topic = await broker.freshTopic();
await topic.send({ value: Uint8Array.of(1) });
await broker.kill();
await broker.restart();
await topic.send({ value: Uint8Array.of(2) });
const values = [];
for await (const { value } of topic.reader({ follow: false })) values.push(value[0]);
await broker[Symbol.asyncDispose]();
console.log(process.versions.bun === undefined ? "node" : "bun", values.join());
`;

test.each([
  ["Node", "node"],
  ["Bun", "bun"],
] as const)("whippet/spawn runs in %s, and ends by itself", async (_, runtime) => {
  await Bun.write(join(project, "program.js"), program);
  const path = runtime === "bun" ? process.execPath : "node";
  expect(await run([path, "program.js"], project)).toBe(`${runtime} 1,2`);
});

test.each([
  ["has done nothing with it", ""],
  ["has closed its client", "await (await broker.client()).close();"],
  ["has stopped it", "await (await broker.client()).close(); await broker.stop();"],
])("a program in Node that does not dispose of its broker, and %s, ends, and the broker with it", async (_, work) => {
  await Bun.write(
    join(project, "forgetful.js"),
    `
    import { readFileSync } from "node:fs";
    import { spawnBroker } from "whippet/spawn";
    const broker = await spawnBroker();
    console.log(readFileSync(\`/proc/self/task/\${process.pid}/children\`, "utf8"));
    ${work}
  `,
  );
  const pid = Number(await run(["node", "forgetful.js"], project));
  expect(pid).toBeGreaterThan(1);
  // One that has ended may stay in the table of processes until somebody asks for how.
  const state = () => (existsSync(`/proc/${pid}/stat`) ? readFileSync(`/proc/${pid}/stat`, "utf8") : "gone");
  await eventually("the end of the broker", state, (text) => text === "gone" || /\) [ZX] /.test(text));
});

test("a clone is imported by its name, too", async () => {
  const clone = mkdtempSync(join(tmpdir(), "testing-clone-"));
  try {
    mkdirSync(join(clone, "node_modules"));
    symlinkSync(root, join(clone, "node_modules/whippet"));
    await Bun.write(
      join(clone, "program.ts"),
      `
      import { startBroker } from "whippet/embedded";
      await using broker = await startBroker();
      await (await broker.freshTopic()).send({ value: Uint8Array.of(1) });
      console.log("sent");
    `,
    );
    expect(await run([process.execPath, "program.ts"], clone)).toBe("sent");
  } finally {
    rmSync(clone, { recursive: true });
  }
});
