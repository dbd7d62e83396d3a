// A piece of work of client-against-original.ts, and what it is given.

import { connect as connectTcp, createServer, type Server, type Socket } from "node:net";
import type { Client, Message } from "../../../src/client/index.bun.ts";

export type Place = {
  readonly transport: "tcp" | "websocket" | "http";
  readonly url: string;
  /** HTTP has none. */
  readonly hasGroups: boolean;
};

export type WorkOptions = {
  readonly client: Client;
  readonly url: string;
  readonly place: Place;
  /** A name that nobody else uses. */
  readonly stream: string;
  /** A server without extensions. */
  readonly isOriginal: boolean;
  /** What the connections of `url` run through, of works that want `cuts`. */
  readonly wire: CuttableTcp | undefined;
};

export type Work = {
  readonly name: string;
  /** Left out where that is not there. */
  readonly wants?: readonly ("groups" | "cuts")[];
  /** Throws where something is not as it should be. */
  readonly run: (options: WorkOptions) => Promise<void>;
};

/** Throws unless both are the same JSON; big integers count as texts. */
export function same(what: string, actual: unknown, expected: unknown): void {
  const text = (value: unknown) =>
    JSON.stringify(value, (_, part) => (typeof part === "bigint" ? `${part}n` : part)) ?? "undefined";
  if (text(actual) !== text(expected)) throw new Error(`${what}: ${text(actual)} instead of ${text(expected)}`);
}

/** Name of the error that it rejects with. */
export async function errorNameOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
  } catch (error) {
    return error instanceof Error && "errorName" in error ? String(error.errorName) : String(error);
  }
  return "none";
}

/** Takes as many messages; then the loop is left. */
export async function take<T>(messages: AsyncIterable<Message<T>>, count: number): Promise<Message<T>[]> {
  const taken: Message<T>[] = [];
  for await (const message of messages) {
    taken.push(message);
    if (taken.length === count) break;
  }
  return taken;
}

export async function eventually(what: string, isSo: () => boolean | Promise<boolean>): Promise<void> {
  const endMs = performance.now() + 30_000;
  while (!(await isSo())) {
    if (performance.now() > endMs) throw new Error(`${what}: not within 30 s`);
    await Bun.sleep(10);
  }
}

/** A port of its own before that of a server: what runs through it can be cut. */
export class CuttableTcp {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(server: Server) {
    this.#server = server;
  }

  static async open(port: number): Promise<CuttableTcp> {
    const server = createServer();
    const wire = new CuttableTcp(server);
    server.on("connection", (near) => {
      const far = connectTcp({ host: "127.0.0.1", port });
      for (const socket of [near, far]) {
        wire.#sockets.add(socket);
        socket.on("close", () => {
          wire.#sockets.delete(socket);
          near.destroy();
          far.destroy();
        });
        socket.on("error", () => socket.destroy()); // that it was cut is what is wanted
      }
      near.pipe(far).pipe(near);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return wire;
  }

  get port(): number {
    const address = this.#server.address();
    if (typeof address !== "object" || address === null) throw new Error("it does not listen");
    return address.port;
  }

  /** Ends every connection at once; new ones may come. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  close(): void {
    this.cut();
    this.#server.close();
  }
}
