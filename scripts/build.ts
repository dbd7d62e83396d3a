// Makes the single-file executable: the server with its runtime, the workers, the batch kernel, the QUIC sidecar and the
// console's page.
// It needs neither Bun nor node_modules where it runs.
//
//   bun scripts/build.ts [output file]        default: dist/whippet

import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import type { BunPlugin } from "bun";
import { bundleConsole } from "../src/transport/http/console/bundle.ts";
import type { EmbeddedFile } from "../src/transport/http/console/console-origin.ts";
import { describeFrame, type PackedFile, type PackedFrame } from "../src/transport/quic/packed-file.ts";
import type { SidecarOrigin } from "../src/transport/quic/sidecar-origin.ts";
import {
  findSidecarProgram,
  type SidecarProgram,
  SidecarUnavailableError,
} from "../src/transport/quic/sidecar-program.ts";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const source = join(root, "src");
/** The QUIC engine at level 3: 39.8 MB in 0.5 s; 12: 35.6 MB in 3.3 s; 17: 33.7 MB in 63 s. All unpack in about 0.2 s. */
const zstdLevel = 12;
/** Unpacked. One frame for all would save 1 MB and need 130 MB more memory to unpack. */
const zstdFrameBytes = 4 * 1024 * 1024;

export interface BuiltExecutable {
  readonly path: string;
  readonly sizeBytes: number;
  /** Why the executable cannot serve QUIC; undefined if it can. */
  readonly withoutQuic: string | undefined;
}

/** The runtime that the executable gets, for another platform than this one. */
export interface ForeignRuntime {
  readonly target: Bun.Build.CompileTarget;
  /** The Bun of that platform, of the same version as the one that builds: what is compiled ahead is made for it alone. */
  readonly executablePath: string;
}

/**
 * Builds for this platform, or for that of `foreign`. `findSidecar` may throw `SidecarUnavailableError`: then the executable has
 * no QUIC.
 */
export async function buildExecutable(
  outputPath: string,
  findSidecar: () => SidecarProgram = findSidecarProgram,
  foreign?: ForeignRuntime,
): Promise<BuiltExecutable> {
  const workDirectory = await mkdtemp(join(tmpdir(), "whippet-build-"));
  try {
    const { origin, withoutQuic } = await packSidecar(findSidecar, workDirectory);
    const consoleFiles = await packConsole(workDirectory);
    await mkdir(dirname(outputPath), { recursive: true });
    await Bun.build({
      // Workers are found by their paths beside main.ts, so they are entry points too.
      entrypoints: ["main.ts", "worker.ts", "login-worker.ts"].map((name) => join(source, "process", name)),
      root: join(source, "process"),
      // Compiled ahead: 8 MB more, and half the time and 10 MB less memory until the broker runs.
      bytecode: true,
      // What the threads have in common is there once; without blanks and comments, and with the names of functions as they are.
      splitting: true,
      minify: { whitespace: true, syntax: true },
      format: "esm",
      target: "bun",
      plugins: [
        replaceSidecarOrigin(origin),
        replaceConsoleOrigin(consoleFiles),
        replaceExportersOrigin(await packExporters(workDirectory)),
      ],
      compile: {
        ...foreign,
        outfile: outputPath,
        // The server reads its configuration itself; what lies in the working directory must not change the runtime.
        autoloadDotenv: false,
        autoloadBunfig: false,
      },
    });
    return { path: outputPath, sizeBytes: Bun.file(outputPath).size, withoutQuic };
  } finally {
    await rm(workDirectory, { recursive: true, force: true });
  }
}

interface PackedSidecar {
  readonly origin: SidecarOrigin;
  readonly withoutQuic: string | undefined;
}

async function packSidecar(findSidecar: () => SidecarProgram, workDirectory: string): Promise<PackedSidecar> {
  try {
    const { runtimePath, scriptPath } = findSidecar();
    const runtime = await pack(await readFile(runtimePath), ["quic-engine", ""], workDirectory);
    const script = await pack(await bundleScript(scriptPath), ["quic-sidecar", ".mjs"], workDirectory);
    return { origin: { kind: "executable", runtime, script }, withoutQuic: undefined };
  } catch (error) {
    if (!(error instanceof SidecarUnavailableError)) throw error;
    return { origin: { kind: "none" }, withoutQuic: error.message };
  }
}

/** The sidecar's program with everything that it imports, for a runtime that knows only what every runtime knows. */
async function bundleScript(path: string): Promise<Uint8Array> {
  const { outputs } = await Bun.build({ entrypoints: [path], target: "browser", format: "esm" });
  const [output] = outputs;
  if (output === undefined || outputs.length !== 1) throw new Error(`${path} does not become one file`);
  return new Uint8Array(await output.arrayBuffer());
}

/** Writes the compressed bytes; the unpacked file will be called `NAME-HASH.EXTENSION`. */
async function pack(
  bytes: Uint8Array,
  [name, extension]: readonly [string, string],
  workDirectory: string,
): Promise<PackedFile> {
  const sha256 = new Bun.CryptoHasher("sha256").update(bytes).digest("hex");
  const frames: PackedFrame[] = [];
  const compressed: Uint8Array[] = [];
  for (let position = 0; position < bytes.byteLength; position += zstdFrameBytes) {
    const part = bytes.subarray(position, position + zstdFrameBytes);
    const frame = await Bun.zstdCompress(part, { level: zstdLevel });
    frames.push(describeFrame(part, frame.byteLength));
    compressed.push(frame);
  }
  const path = join(workDirectory, `${name}.zst`);
  await writeFile(path, compressed);
  return {
    path,
    frames,
    name: `${name}-${sha256.slice(0, 16)}${extension}`,
    sizeBytes: bytes.byteLength,
  };
}

/** The files of the console's page, in the two forms in which browsers take them. */
async function packConsole(workDirectory: string): Promise<readonly EmbeddedFile[]> {
  const files: EmbeddedFile[] = [];
  for (const { name, type, bytes } of await bundleConsole(join(source, "web"))) {
    const [gzip, brotli] = [join(workDirectory, `${name}.gz`), join(workDirectory, `${name}.br`)];
    await writeFile(gzip, gzipSync(bytes, { level: 9 }));
    await writeFile(brotli, brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } }));
    files.push({ name, type, gzip, brotli });
  }
  return files;
}

/** The same as `replaceSidecarOrigin`, for the files of the console. */
function replaceConsoleOrigin(files: readonly EmbeddedFile[]): BunPlugin {
  const imports = files.flatMap(({ gzip, brotli }, index) => [
    `import gzip${index} from ${JSON.stringify(gzip)} with { type: "file" };`,
    `import brotli${index} from ${JSON.stringify(brotli)} with { type: "file" };`,
  ]);
  const entries = files.map(
    (file, index) => `{ ...${JSON.stringify(file)}, gzip: gzip${index}, brotli: brotli${index} }`,
  );
  const contents = [
    ...imports,
    `export const consoleOrigin = { kind: "embedded", files: [${entries.join(", ")}] };`,
  ].join("\n");
  return {
    name: "console-origin",
    setup(build) {
      build.onLoad({ filter: /[\\/]console[\\/]console-origin\.ts$/ }, () => ({ loader: "ts", contents }));
    },
  };
}

/** The exporters of telemetry with all that they import, as one file that is loaded only where something is exported. */
async function packExporters(workDirectory: string): Promise<string> {
  const entry = join(source, "observability/telemetry/exporters.ts");
  const { outputs } = await Bun.build({ entrypoints: [entry], target: "bun", format: "esm", minify: true });
  const [output] = outputs;
  if (output === undefined || outputs.length !== 1) throw new Error(`${entry} does not become one file`);
  const path = join(workDirectory, "exporters.js");
  await writeFile(path, new Uint8Array(await output.arrayBuffer()));
  return path;
}

function replaceExportersOrigin(path: string): BunPlugin {
  const contents = [
    `import path from ${JSON.stringify(path)} with { type: "file" };`,
    "export const loadExporters = () => import(path);",
  ].join("\n");
  return {
    name: "exporters-origin",
    setup(build) {
      build.onLoad({ filter: /[\\/]telemetry[\\/]exporters-origin\.ts$/ }, () => ({ loader: "ts", contents }));
    },
  };
}

/** The files become assets of the executable, and their paths the ones inside it. */
function replaceSidecarOrigin(origin: SidecarOrigin): BunPlugin {
  return {
    name: "sidecar-origin",
    setup(build) {
      build.onLoad({ filter: /[\\/]quic[\\/]sidecar-origin\.ts$/ }, () => ({
        loader: "ts",
        contents: origin.kind === "executable" ? embeddingModule(origin) : originModule(JSON.stringify(origin)),
      }));
    },
  };
}

function embeddingModule({ runtime, script }: Extract<SidecarOrigin, { kind: "executable" }>): string {
  const packed = (file: PackedFile, path: string) => `{ ...${JSON.stringify(file)}, path: ${path} }`;
  return [
    `import runtimePath from ${JSON.stringify(runtime.path)} with { type: "file" };`,
    `import scriptPath from ${JSON.stringify(script.path)} with { type: "file" };`,
    originModule(
      `{ kind: "executable", runtime: ${packed(runtime, "runtimePath")}, script: ${packed(script, "scriptPath")} }`,
    ),
  ].join("\n");
}

function originModule(value: string): string {
  return `export const sidecarOrigin = ${value};\n`;
}

if (import.meta.main) {
  const startedAtMs = performance.now();
  const { path, sizeBytes, withoutQuic } = await buildExecutable(
    resolve(process.argv[2] ?? join(root, "dist/whippet")),
  );
  if (withoutQuic !== undefined) console.log(`without QUIC: ${withoutQuic}`);
  const seconds = ((performance.now() - startedAtMs) / 1000).toFixed(1);
  console.log(`${relative(process.cwd(), path)}: ${(sizeBytes / 1e6).toFixed(1)} MB, ${seconds} s`);
}
