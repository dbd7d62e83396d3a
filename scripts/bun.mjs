// Runs the Bun that npm installed. The `bun` package moves its platform binary into place with an install script, which
// npm may be told not to run: both places are looked at, so nothing depends on the script.
import { spawn } from "node:child_process";
import { existsSync, readFileSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));

function cpuHasAvx2() {
  if (process.platform !== "linux" || process.arch !== "x64") return true;
  return readFileSync("/proc/cpuinfo", "utf8").includes("avx2");
}

function isMusl() {
  return process.platform === "linux" && !process.report.getReport().header.glibcVersionRuntime;
}

function findBun() {
  const os = process.platform === "win32" ? "windows" : process.platform;
  const arch = process.arch === "arm64" ? "aarch64" : process.arch;
  const base = `bun-${os}-${arch}${isMusl() ? "-musl" : ""}`;
  const names = cpuHasAvx2() ? [base, `${base}-baseline`] : [`${base}-baseline`, base];
  const file = os === "windows" ? "bun.exe" : "bun";
  const paths = names.map((name) => join(root, "node_modules", "@oven", name, "bin", file));
  paths.push(join(root, "node_modules", "bun", "bin", "bun.exe"));
  // Without its install script the last one is a text stub of a few hundred bytes.
  const found = paths.find((path) => existsSync(path) && statSync(path).size > 1_000_000);
  if (found !== undefined) return found;
  console.error(`whippet: no Bun for ${process.platform} ${process.arch}; looked for:\n  ${paths.join("\n  ")}`);
  console.error("Run `npm ci` first (with optional dependencies).");
  process.exit(1);
}

const child = spawn(findBun(), process.argv.slice(2), { stdio: "inherit", cwd: process.cwd() });
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
child.on("error", (error) => {
  console.error(`whippet: cannot start Bun: ${error.message}`);
  process.exit(1);
});
child.on("exit", (code, signal) => {
  if (signal !== null) process.kill(process.pid, signal);
  else process.exit(code ?? 1);
});
