// One connection of a client without manners: steps of bytes, each of which must be answered or end the connection, then
// bytes of which nobody can say what they are, then the end of its sending side, which must end the connection.
import type { Socket } from "bun";

/** For what never comes; a busy machine takes its time. */
const boundMs = 60_000;

export interface Step {
  readonly bytes: Uint8Array;
  /** Given what came since the step began: whether it is answered. Throws if that is no right answer. */
  readonly isAnswered: (received: Buffer) => boolean;
}

export interface Exchange {
  readonly steps: readonly Step[];
  readonly last: Uint8Array;
}

/**
 * Resolves with the number of steps that were answered. After an answer the connection may end; without one it may not.
 * Throws then, and when something takes longer than anything may.
 */
export async function exchange(port: number, { steps, last }: Exchange): Promise<number> {
  const client = await HostileConnection.open(port);
  try {
    for (const [index, step] of steps.entries()) {
      client.write(step.bytes);
      const sent = Buffer.from(step.bytes).toHex();
      await client.until(() => step.isAnswered(client.received), `the answer to ${sent}`);
      if (!step.isAnswered(client.received)) throw new Error(`${client.received.toHex()} and the end after ${sent}`);
      if (client.isClosed) return index + 1;
      client.received = Buffer.alloc(0);
    }
    client.write(last);
    client.endSending();
    await client.until(() => false, `the end after ${Buffer.from(last).toHex()}`);
    return steps.length;
  } finally {
    client.close();
  }
}

class HostileConnection {
  received = Buffer.alloc(0);
  isClosed = false;
  #unsent = Buffer.alloc(0);
  #endsWhenSent = false;
  #socket: Socket<undefined> | undefined;
  #wake: () => void = () => undefined;

  static async open(port: number): Promise<HostileConnection> {
    const client = new HostileConnection();
    client.#socket = await Bun.connect<undefined>({
      hostname: "127.0.0.1",
      port,
      socket: {
        data: (_socket, bytes) => {
          client.received = Buffer.concat([client.received, bytes]);
          client.#wake();
        },
        drain: () => client.#flush(),
        close: () => client.#ended(),
        error: () => client.#ended(),
      },
    });
    return client;
  }

  write(bytes: Uint8Array): void {
    this.#unsent = Buffer.concat([this.#unsent, bytes]);
    this.#flush();
  }

  endSending(): void {
    this.#endsWhenSent = true;
    this.#flush();
  }

  close(): void {
    this.#socket?.terminate();
  }

  /** Returns also when the connection has ended. */
  async until(isMet: () => boolean, what: string): Promise<void> {
    const deadline = Promise.withResolvers<void>();
    const timer = setTimeout(() => deadline.reject(new Error(`within ${boundMs} ms did not come: ${what}`)), boundMs);
    try {
      while (!isMet() && !this.isClosed) {
        const woken = Promise.withResolvers<void>();
        this.#wake = woken.resolve;
        await Promise.race([woken.promise, deadline.promise]);
      }
    } finally {
      clearTimeout(timer);
    }
  }

  #flush(): void {
    if (this.#socket === undefined || this.isClosed) return;
    while (this.#unsent.byteLength > 0) {
      const taken = this.#socket.write(this.#unsent);
      if (taken <= 0) return;
      this.#unsent = this.#unsent.subarray(taken);
    }
    if (this.#endsWhenSent) this.#socket.shutdown();
  }

  #ended(): void {
    this.isClosed = true;
    this.#wake();
  }
}
