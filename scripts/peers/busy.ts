// Other programs that keep the machine busy: one for each core, at ordinary priority.

import { availableParallelism } from "node:os";
import { remember } from "../children.ts";

/** Starts them; what it returns ends them, each by its number. */
export function keepBusy(): () => Promise<void> {
  const children = Array.from({ length: availableParallelism() }, () =>
    remember(Bun.spawn([process.execPath, "-e", "for (;;);"], { stdin: "ignore", stdout: "ignore", stderr: "ignore" })),
  );
  return async () => {
    for (const child of children) child.kill("SIGKILL");
    await Promise.all(children.map(({ exited }) => exited));
  };
}
