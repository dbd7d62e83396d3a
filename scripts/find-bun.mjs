// Finds the Bun that npm installed. The `bun` package moves its platform binary into place with an install script, which npm
// may be told not to run: both places are looked at, so nothing depends on the script. Whippet may be installed beside its
// dependencies, so the folders above are looked at too.
import { existsSync, readFileSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
/** Without its install script the package has a text stub of a few hundred bytes. */
const programBytesMin = 1_000_000;

function cpuHasAvx2() {
  if (process.platform !== "linux" || process.arch !== "x64") return true;
  return readFileSync("/proc/cpuinfo", "utf8").includes("avx2");
}

function isMusl() {
  return process.platform === "linux" && !process.report.getReport().header.glibcVersionRuntime;
}

/** Folders in which npm may have put what this package depends on, the nearest first. */
function moduleFolders() {
  const folders = [];
  for (let folder = root; ; folder = dirname(folder)) {
    folders.push(join(folder, "node_modules"));
    if (folder === dirname(folder)) return folders;
  }
}

/** Path of the program; throws an Error that says where it was looked for. */
export function findBun() {
  const os = process.platform === "win32" ? "windows" : process.platform;
  const arch = process.arch === "arm64" ? "aarch64" : process.arch;
  const base = `bun-${os}-${arch}${isMusl() ? "-musl" : ""}`;
  const names = cpuHasAvx2() ? [base, `${base}-baseline`] : [`${base}-baseline`, base];
  const file = os === "windows" ? "bun.exe" : "bun";
  const paths = moduleFolders().flatMap((folder) => [
    ...names.map((name) => join(folder, "@oven", name, "bin", file)),
    join(folder, "bun", "bin", "bun.exe"),
  ]);
  const found = paths.find((path) => existsSync(path) && statSync(path).size > programBytesMin);
  if (found !== undefined) return found;
  throw new Error(`no Bun for ${process.platform} ${process.arch}; looked for:\n  ${paths.join("\n  ")}`);
}
