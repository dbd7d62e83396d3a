// The words of `whippet` that are programs of their own, with options of their own: each loads its own module.

/** Runs with the arguments behind the word; a program that ends says its exit code to the process. */
type Program = (args: readonly string[]) => Promise<void>;

export const programs: Readonly<Record<string, Program>> & { readonly server: Program } = {
  async server(args) {
    const { runServer } = await import("./server.ts");
    await runServer(args);
  },
  async doctor(args) {
    const { runDoctorProgram } = await import("../doctor/main.ts");
    // Not `process.exit`: what it has written may not have left yet.
    process.exitCode = await runDoctorProgram(args);
  },
  async backup(args) {
    const { runBackupProgram } = await import("../backup/main.ts");
    process.exitCode = await runBackupProgram("backup", args);
  },
  async restore(args) {
    const { runBackupProgram } = await import("../backup/main.ts");
    process.exitCode = await runBackupProgram("restore", args);
  },
  async bench(args) {
    const { runBenchProgram } = await import("../bench/main.ts");
    process.exit(await runBenchProgram(args));
  },
};
