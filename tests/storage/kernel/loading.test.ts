// The compiled artifact: built from the sources next to it, and found from source, from a worker and from an executable.

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { cp, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildKernel } from "../../../scripts/build-kernel.ts";

const expected = { code: 0, scan: { messagesCount: 1, validBytes: 1064, stop: "end" } };
const root = join(import.meta.dir, "../../..");
const committedPath = join(root, "src/storage/kernel/batch-kernel.wasm");
let folder = "";

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "kernel-loading-"));
});

afterAll(async () => {
  await rm(folder, { recursive: true });
});

async function run(command: readonly string[], cwd: string): Promise<string> {
  const child = Bun.spawn([...command], { cwd, stdout: "pipe", stderr: "pipe" });
  const [output, errors, status] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  if (status !== 0) throw new Error(`${command.join(" ")}: status ${status}\n${output}${errors}`);
  return output;
}

test("the committed batch-kernel.wasm is what its sources compile to", async () => {
  const rebuiltPath = join(folder, "rebuilt.wasm");
  await buildKernel(rebuiltPath);
  const [rebuilt, committed] = await Promise.all([rebuiltPath, committedPath].map((path) => readFile(path)));
  expect(rebuilt!.equals(committed!)).toBe(true);
}, 120_000);

test("batch-kernel.wasm imports a shared memory and has neither data segments nor a start function", async () => {
  const module = await Bun.file(committedPath).bytes();
  const sections = new Set(sectionIds(module));
  expect(sections.has(8)).toBe(false); // start
  expect(sections.has(11)).toBe(false); // data
  expect(sections.has(5)).toBe(false); // a memory of its own
  expect(WebAssembly.Module.imports(new WebAssembly.Module(module))).toEqual([
    { module: "env", name: "memory", kind: "memory" },
  ]);
});

/** The ids of the sections of a WebAssembly module, in order. */
function sectionIds(module: Uint8Array): number[] {
  const ids: number[] = [];
  let position = 8; // magic and version
  while (position < module.byteLength) {
    ids.push(module[position++]!);
    let sizeBytes = 0;
    let shift = 0;
    let byte: number;
    do {
      byte = module[position++]!;
      sizeBytes |= (byte & 0x7f) << shift;
      shift += 7;
    } while (byte >= 0x80);
    position += sizeBytes;
  }
  return ids;
}

describe("a program whose worker stamps and whose main thread scans one shared memory", () => {
  test("works from source", async () => {
    const program = join(import.meta.dir, "loading-program.ts");
    expect(JSON.parse(await run([process.execPath, program], folder))).toEqual(expected);
  }, 120_000);

  test("works as a compiled executable whose sources are gone", async () => {
    const sources = join(folder, "sources");
    for (const part of ["src/platform", "src/protocol", "src/storage/kernel", "tests/storage/kernel"]) {
      await cp(join(root, part), join(sources, part), { recursive: true });
    }
    const entries = ["loading-program.ts", "loading-worker.ts"].map((name) => `./tests/storage/kernel/${name}`);
    const executable = join(folder, "program");
    await run([process.execPath, "build", "--compile", ...entries, "--outfile", executable], sources);
    await rm(sources, { recursive: true });
    expect(JSON.parse(await run([executable], folder))).toEqual(expected);
  }, 120_000);
});
