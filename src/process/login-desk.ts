// The main thread's side of the login desk.

/**
 * Starts its thread; resolves with the port of each shard when it is ready, since starting many threads at once has crashed
 * the runtime. Without it nobody could log in any more, so its death is one of the process.
 */
export async function openLoginDesk(shardCount: number, onFailure: (reason: string) => void): Promise<MessagePort[]> {
  // With a small heap: in a large one tens of MB of requests pile up before they are collected.
  const worker = new Worker(new URL("./login-worker.ts", import.meta.url).href, { name: "logins", smol: true });
  worker.onerror = (event) => onFailure(`the login desk died: ${event.message}`);
  worker.addEventListener("close", () => onFailure("the login desk ended unexpectedly"));
  const channels = Array.from({ length: shardCount }, () => new MessageChannel());
  const { promise: isReady, resolve } = Promise.withResolvers<void>();
  worker.onmessage = () => resolve();
  const theirs = channels.map(({ port2 }) => port2);
  worker.postMessage(theirs, theirs);
  await isReady;
  return channels.map(({ port1 }) => port1);
}
