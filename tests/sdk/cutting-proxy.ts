// A door to the broker whose connections can be cut, as a network does that fails: both ends get a reset.
import { connect, createServer, type Socket } from "node:net";

export interface CuttingProxy {
  readonly address: string;
  /** Cuts every connection that is open; new ones are taken. Gives their number. */
  cut(): number;
  close(): void;
}

/** Listens on a free port of the loopback. */
export async function openCuttingProxy(host: string, port: number): Promise<CuttingProxy> {
  const open = new Set<readonly [Socket, Socket]>();
  const server = createServer((near) => {
    const far = connect(port, host);
    const pair = [near, far] as const;
    open.add(pair);
    for (const socket of pair) {
      socket.setNoDelay(true);
      // Of a connection that was cut there is nothing more to say: its end is what follows.
      socket.on("error", () => socket.destroy());
      socket.on("close", () => {
        open.delete(pair);
        near.destroy();
        far.destroy();
      });
    }
    near.pipe(far);
    far.pipe(near);
  });
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  const bound = server.address();
  if (bound === null || typeof bound === "string") throw new Error("the proxy has no port");
  const cut = () => {
    const count = open.size;
    for (const [near, far] of open) {
      near.resetAndDestroy();
      far.resetAndDestroy();
    }
    return count;
  };
  const close = () => {
    server.close();
    cut();
  };
  return { address: `${host}:${bound.port}`, cut, close };
}
