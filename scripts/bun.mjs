// Runs the Bun that npm installed, with the arguments of this program.
import { spawn } from "node:child_process";
import { findBun } from "./find-bun.mjs";

function programOrExit() {
  try {
    return findBun();
  } catch (error) {
    console.error(`whippet: ${error.message}`);
    console.error("Run `npm ci` first (with optional dependencies).");
    process.exit(1);
  }
}

const child = spawn(programOrExit(), process.argv.slice(2), { stdio: "inherit", cwd: process.cwd() });
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
child.on("error", (error) => {
  console.error(`whippet: cannot start Bun: ${error.message}`);
  process.exit(1);
});
child.on("exit", (code, signal) => {
  if (signal !== null) process.kill(process.pid, signal);
  else process.exit(code ?? 1);
});
