// The main thread's side of the login desk.

export interface LoginDeskThread {
  /** For each shard. What is sent before the thread runs waits for it. */
  readonly ports: readonly MessagePort[];
  /** Starts the thread; resolves when it runs. Called once, while no other thread is being started. */
  readonly start: () => Promise<void>;
}

/** Without its thread nobody could log in any more, so its death, which `onFailure` is told, is one of the process. */
export function openLoginDesk(shardCount: number, onFailure: (reason: string) => void): LoginDeskThread {
  const channels = Array.from({ length: shardCount }, () => new MessageChannel());
  const start = () => {
    // With a small heap: in a large one tens of MB of requests pile up before they are collected.
    const worker = new Worker(new URL("./login-worker.ts", import.meta.url).href, { name: "logins", smol: true });
    worker.onerror = (event) => onFailure(`the login desk died: ${event.message}`);
    worker.addEventListener("close", () => onFailure("the login desk ended unexpectedly"));
    const { promise: isReady, resolve } = Promise.withResolvers<void>();
    worker.onmessage = () => resolve();
    const theirs = channels.map(({ port2 }) => port2);
    worker.postMessage(theirs, theirs);
    return isReady;
  };
  return { ports: channels.map(({ port1 }) => port1), start };
}
