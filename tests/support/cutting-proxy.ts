// A TCP proxy in front of a server that ends connections in the middle: after a number of bytes in one direction, or all at once.
import type { Socket, TCPSocketListener } from "bun";

export type Direction = "to the server" | "to the client";

/** Bytes that a connection lets through in one direction before it ends. */
export interface Cut {
  readonly direction: Direction;
  readonly bytes: number;
}

/** One end of a connection, with what its socket could not take yet. */
interface End {
  readonly link: Link;
  readonly direction: Direction;
  socket: Socket<End> | undefined;
  backlog: Uint8Array[];
}

/** A connection of a client with its connection to the server. */
export interface Passed {
  readonly cut: Cut | undefined;
  /** Bytes that went through. */
  readonly bytes: Readonly<Record<Direction, number>>;
}

interface Link extends Passed {
  readonly bytes: Record<Direction, number>;
  readonly ends: Record<Direction, End>;
  isOver: boolean;
}

export class CuttingProxy {
  readonly #listener: TCPSocketListener<End>;
  readonly #links = new Set<Link>();
  readonly #passed: Passed[] = [];
  readonly #toPort: () => number;
  readonly #nextCut: (index: number) => Cut | undefined;

  /** `nextCut` says for each connection, by its number from 0, where it is cut; undefined: not. */
  constructor(toPort: () => number, nextCut: (index: number) => Cut | undefined = () => undefined) {
    this.#toPort = toPort;
    this.#nextCut = nextCut;
    this.#listener = Bun.listen<End>({
      hostname: "127.0.0.1",
      port: 0,
      socket: {
        open: (socket) => this.#open(socket),
        data: (socket, chunk) => this.#forward(socket.data, chunk),
        drain: (socket) => drain(socket.data),
        close: (socket) => this.#end(socket.data.link),
        error: (socket) => this.#end(socket.data.link),
      },
    });
  }

  get port(): number {
    return this.#listener.port;
  }

  /** Every connection so far, in order. */
  get passed(): readonly Passed[] {
    return this.#passed;
  }

  /** Ends all that are open. */
  cutAll(): void {
    for (const link of [...this.#links]) this.#end(link);
  }

  /** Ends the one that was opened last, if it is open. */
  cutLast(): void {
    const last = [...this.#links].at(-1);
    if (last === this.#passed.at(-1) && last !== undefined) this.#end(last);
  }

  stop(): void {
    this.cutAll();
    this.#listener.stop(true);
  }

  #open(socket: Socket<End>): void {
    const link = makeLink(this.#nextCut(this.#passed.length));
    this.#passed.push(link);
    this.#links.add(link);
    // What a client sends goes out at the server's end.
    socket.data = link.ends["to the client"];
    socket.data.socket = socket;
    const server = link.ends["to the server"];
    const opening = Bun.connect<End>({
      hostname: "127.0.0.1",
      port: this.#toPort(),
      data: server,
      socket: {
        open: (opened) => {
          server.socket = opened;
          if (link.isOver) opened.terminate();
          else drain(server);
        },
        data: (opened, chunk) => this.#forward(opened.data, chunk),
        drain: (opened) => drain(opened.data),
        close: () => this.#end(link),
        error: () => this.#end(link),
      },
    });
    opening.catch(() => this.#end(link)); // nobody listens
  }

  #forward({ link, direction: from }: End, chunk: Uint8Array): void {
    if (link.isOver) return;
    const direction = from === "to the client" ? "to the server" : "to the client";
    const limit = link.cut?.direction === direction ? link.cut.bytes : Number.POSITIVE_INFINITY;
    const bytes = chunk.subarray(0, limit - link.bytes[direction]);
    link.bytes[direction] += bytes.length;
    const to = link.ends[direction];
    to.backlog.push(bytes.slice());
    drain(to);
    if (link.bytes[direction] >= limit) this.#end(link);
  }

  #end(link: Link): void {
    if (link.isOver) return;
    link.isOver = true;
    this.#links.delete(link);
    for (const { socket } of Object.values(link.ends)) {
      socket?.flush();
      socket?.terminate();
    }
  }
}

function makeLink(cut: Cut | undefined): Link {
  const link: Omit<Link, "ends"> = { cut, bytes: { "to the server": 0, "to the client": 0 }, isOver: false };
  const endOf = (direction: Direction): End => ({ link: link as Link, direction, socket: undefined, backlog: [] });
  return Object.assign(link, {
    ends: { "to the server": endOf("to the server"), "to the client": endOf("to the client") },
  });
}

/** Writes what waits, as far as the socket takes it. */
function drain(end: End): void {
  const { socket, backlog } = end;
  if (socket === undefined) return;
  while (backlog.length > 0) {
    const [bytes] = backlog;
    const written = Math.max(0, socket.write(bytes!));
    if (written < bytes!.length) {
      backlog[0] = bytes!.subarray(written);
      return;
    }
    backlog.shift();
  }
}
