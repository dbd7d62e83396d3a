// Programs that a script has started end with it, also when it is interrupted.

type Child = { kill(signal: "SIGKILL"): void; readonly exited: Promise<number> };

const running = new Map<Child, () => void>();

/**
 * Remembers a child until it has ended; `cleanUp` is what a stop in good order would do afterwards, such as removing its directory, and
 * has to be synchronous.
 */
export function remember<T extends Child>(child: T, cleanUp: () => void = () => {}): T {
  running.set(child, cleanUp);
  void child.exited.then(() => running.delete(child));
  return child;
}

/** From now on a signal or an error that ends this script ends its children first. */
export function endChildrenWithScript(): void {
  process.on("exit", () => {
    for (const [child, cleanUp] of running) {
      child.kill("SIGKILL");
      cleanUp();
    }
  });
  process.on("SIGINT", () => process.exit(130));
  process.on("SIGTERM", () => process.exit(143));
}
