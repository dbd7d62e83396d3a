// Makes a release: an executable for each platform, with notices, a bill of materials, the changes, and checksums.
//
//   npm run release -- [--out DIRECTORY] [--platform linux-x64]… [--sign-with KEY.pem]
//
// It needs npm's registry (the runtimes of other platforms) and tar. docs/packaging.md says what each executable holds.
import { createHash } from "node:crypto";
import { mkdir, mkdtemp, open, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import packageJson from "../package.json" with { type: "json" };
import { buildExecutable } from "./build.ts";
import { changesOf } from "./release/change-log.ts";
import { checksumsOf, signatureOf } from "./release/checksums.ts";
import { noticesOf, renderNotices } from "./release/notices.ts";
import { readReleaseOptions } from "./release/options.ts";
import { fetchPackage, type Lock } from "./release/packages.ts";
import { formatOf, headBytes, type Platform } from "./release/platforms.ts";
import { makeSbom } from "./release/sbom.ts";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const { name: product, version } = packageJson;

/** Builds one executable and makes sure that it is for this platform and holds its QUIC engine; resolves with its name. */
async function buildFor(platform: Platform, lock: Lock, directory: string, workDirectory: string): Promise<string> {
  const bun = join(await fetchPackage(lock, platform.bunPackage, workDirectory), "bin/bun");
  const engine = join(await fetchPackage(lock, platform.enginePackage, workDirectory), "deno");
  const fileName = `${product}-${version}-${platform.name}`;
  const path = join(directory, fileName);
  const program = { runtimePath: engine, scriptPath: join(root, "src/transport/quic/sidecar.ts") };
  const foreign = { target: platform.target, executablePath: bun };
  const { sizeBytes } = await buildExecutable(path, () => program, foreign);
  const format = formatOf(await headOf(path));
  if (format !== platform.format) throw new Error(`${fileName} is ${format}, not ${platform.format}`);
  // The name under which the engine is unpacked; it stands in the executable beside the packed file.
  const hash = createHash("sha256")
    .update(await readFile(engine))
    .digest("hex");
  if (!(await readFile(path)).includes(`quic-engine-${hash.slice(0, 16)}`)) {
    throw new Error(`${fileName} does not hold the QUIC engine of ${platform.enginePackage}`);
  }
  console.log(`${fileName}: ${(sizeBytes / 1e6).toFixed(1)} MB, ${format}, QUIC by ${platform.enginePackage}`);
  return fileName;
}

async function headOf(path: string): Promise<Uint8Array> {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(new Uint8Array(headBytes), 0, headBytes, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

const options = readReleaseOptions(process.argv.slice(2));
const directory = resolve(options.directory);
const workDirectory = await mkdtemp(join(tmpdir(), "whippet-release-"));
try {
  const textOf = (path: string) => readFile(join(root, path), "utf8");
  const lock = JSON.parse(await textOf("package-lock.json")) as Lock;
  // Whoever gives a key wants to hear at once that it cannot be used.
  const keyPem = options.keyPath === undefined ? undefined : await readFile(options.keyPath, "utf8");
  if (keyPem !== undefined) signatureOf("", keyPem);
  await mkdir(directory, { recursive: true });
  const names: string[] = [];
  for (const platform of options.platforms) names.push(await buildFor(platform, lock, directory, workDirectory));
  const texts = {
    LICENSE: await textOf("LICENSE"),
    "CHANGES.md": changesOf(await textOf("CHANGELOG.md"), version),
    "THIRD-PARTY-NOTICES.txt": renderNotices(noticesOf(lock, root), await textOf("packaging/notices/runtimes.txt")),
    "sbom.cdx.json": await makeSbom(root, product),
  };
  for (const [name, text] of Object.entries(texts)) await writeFile(join(directory, name), text);
  const checksums = await checksumsOf(directory, [...names, ...Object.keys(texts)]);
  await writeFile(join(directory, "SHA256SUMS"), checksums);
  if (keyPem !== undefined) await writeFile(join(directory, "SHA256SUMS.sig"), signatureOf(checksums, keyPem));
  console.log(`${directory}: ${checksums.split("\n").length - 1} files${keyPem === undefined ? "" : ", signed"}`);
} finally {
  await rm(workDirectory, { recursive: true, force: true });
}
