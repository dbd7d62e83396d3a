#!/usr/bin/env node
// `npx whippet` and `npm run whippet -- …`: runs the program from its sources, with the Bun that npm installed.
import { spawn } from "node:child_process";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { findBun } from "./find-bun.mjs";

const main = join(dirname(dirname(fileURLToPath(import.meta.url))), "src", "process", "main.ts");

function programOrExit() {
  try {
    return findBun();
  } catch (error) {
    console.error(`whippet: ${error.message}`);
    console.error("Run `npm ci` first (with optional dependencies).");
    process.exit(1);
  }
}

const child = spawn(programOrExit(), ["--no-env-file", main, ...process.argv.slice(2)], { stdio: "inherit" });
// A terminal interrupts all that run in it by itself: passed on, the program would see it twice.
const passesOn = process.stdin.isTTY ? ["SIGTERM", "SIGHUP"] : ["SIGINT", "SIGTERM", "SIGHUP"];
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
  process.on(signal, () => {
    if (passesOn.includes(signal)) child.kill(signal);
  });
}
child.on("error", (error) => {
  console.error(`whippet: cannot start Bun: ${error.message}`);
  process.exit(1);
});
child.on("exit", (code, signal) => {
  if (signal === null) process.exit(code ?? 1);
  process.removeAllListeners(signal);
  process.kill(process.pid, signal);
});
