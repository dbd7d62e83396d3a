// A QUIC client in a process of its own, run by the sidecar's runtime: the runtime of the tests has no QUIC client that sends
// no ALPN, as the SDKs do. Lines of JSON with an id on stdin, one answer for each on stdout.

import type { QuicConnection, QuicOptions, QuicStream, UnixConnection } from "../../src/transport/quic/engine.ts";
import { linesOf } from "./lines.ts";

interface ClientQuicConnection extends QuicConnection {
  createBidirectionalStream(options: { readonly waitUntilAvailable: boolean }): Promise<QuicStream>;
}

interface ClientOptions extends QuicOptions {
  readonly hostname: string;
  readonly port: number;
  readonly serverName: string;
  readonly caCerts: string[];
  readonly alpnProtocols: string[];
}

declare const Deno: {
  connectQuic(options: ClientOptions): Promise<ClientQuicConnection>;
  listen(options: { readonly hostname: string; readonly port: number }): AsyncIterable<UnixConnection> & {
    readonly addr: { readonly port: number };
  };
  readonly stdin: { readonly readable: ReadableStream<Uint8Array> };
  readonly stdout: { writeSync(bytes: Uint8Array): number };
  exit(code: number): never;
};

/** Where a connection goes and how. */
interface Target {
  readonly port: number;
  readonly alpnProtocols: string[];
  /** Trusted; it must name `localhost`. */
  readonly certPem: string;
  readonly idleTimeoutMs: number;
}

export type Command =
  | { readonly kind: "open"; readonly name: string; readonly target: Target }
  /** One stream: writes the bytes, finishes if told to, reads to the end. Answer: what was read, base64. */
  | { readonly kind: "exchange"; readonly name: string; readonly bytes: string; readonly finish: boolean }
  /** `count` streams with the same bytes, none of which is read. Answer: how many could be written in `forMs`. */
  | {
      readonly kind: "ask";
      readonly name: string;
      readonly bytes: string;
      readonly count: number;
      readonly forMs: number;
    }
  | { readonly kind: "close"; readonly name: string }
  /** Answer: how the connection ended, as text. */
  | { readonly kind: "ended"; readonly name: string }
  /** Every TCP connection to the port in the answer becomes a QUIC connection, every request frame on it a stream. */
  | { readonly kind: "relay"; readonly target: Target };

export type Answer =
  | { readonly id: number; readonly value: string | number }
  | { readonly id: number; readonly error: string };

const connections = new Map<string, ClientQuicConnection>();
/** Streams that are not read: the engine would end them if they were collected. */
const unread: QuicStream[] = [];

function open({ port, alpnProtocols, certPem, idleTimeoutMs }: Target): Promise<ClientQuicConnection> {
  return Deno.connectQuic({
    hostname: "127.0.0.1",
    port,
    serverName: "localhost",
    caCerts: [certPem],
    alpnProtocols,
    maxIdleTimeout: idleTimeoutMs,
    keepAliveInterval: Math.floor(idleTimeoutMs / 3),
  });
}

function named(name: string): ClientQuicConnection {
  const connection = connections.get(name);
  if (connection === undefined) throw new Error(`there is no connection ${name}`);
  return connection;
}

async function readToEnd(stream: ReadableStream<Uint8Array>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  const all = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.byteLength, 0));
  let position = 0;
  for (const chunk of chunks) {
    all.set(chunk, position);
    position += chunk.byteLength;
  }
  return all;
}

async function exchange(connection: ClientQuicConnection, bytes: Uint8Array, finish: boolean): Promise<Uint8Array> {
  const { readable, writable } = await connection.createBidirectionalStream({ waitUntilAvailable: true });
  const writer = writable.getWriter();
  await writer.write(bytes);
  if (finish) await writer.close();
  const reply = await readToEnd(readable);
  if (!finish) await writer.close().catch(() => undefined);
  return reply;
}

async function ask(connection: ClientQuicConnection, bytes: Uint8Array, count: number, forMs: number): Promise<number> {
  let written = 0;
  const work = async () => {
    for (let index = 0; index < count; index++) {
      const stream = await connection.createBidirectionalStream({ waitUntilAvailable: true });
      unread.push(stream);
      const writer = stream.writable.getWriter();
      await writer.write(bytes);
      await writer.close();
      written++;
    }
  };
  await Promise.race([work(), new Promise((resolve) => setTimeout(resolve, forMs))]);
  return written;
}

/** SDK frames, one after the other. */
async function relay(local: UnixConnection, target: Target): Promise<void> {
  const remote = await open(target);
  try {
    await relayTo(remote, local);
  } finally {
    remote.close({ closeCode: 0, reason: "" });
  }
  local.close();
}

async function relayTo(remote: ClientQuicConnection, local: UnixConnection): Promise<void> {
  let waiting = new Uint8Array(0);
  const chunk = new Uint8Array(1024 * 1024);
  for (;;) {
    while (waiting.byteLength >= 8) {
      const frameBytes = 4 + new DataView(waiting.buffer, waiting.byteOffset).getUint32(0, true);
      if (waiting.byteLength < frameBytes) break;
      const reply = await exchange(remote, waiting.subarray(0, frameBytes), true);
      for (let rest = reply; rest.byteLength > 0; ) rest = rest.subarray(await local.write(rest));
      waiting = waiting.slice(frameBytes);
    }
    const count = await local.read(chunk);
    if (count === null) break;
    const joined = new Uint8Array(waiting.byteLength + count);
    joined.set(waiting);
    joined.set(chunk.subarray(0, count), waiting.byteLength);
    waiting = joined;
  }
}

function startRelay(target: Target): number {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  void (async () => {
    for await (const local of listener) {
      relay(local, target).catch(() => {
        try {
          local.close();
        } catch {
          // The test closed it first.
        }
      });
    }
  })();
  return listener.addr.port;
}

async function handle(command: Command): Promise<string | number> {
  switch (command.kind) {
    case "open": {
      const connection = await open(command.target);
      connection.closed.catch(() => undefined);
      connections.set(command.name, connection);
      return "";
    }
    case "exchange": {
      const reply = await exchange(named(command.name), Uint8Array.fromBase64(command.bytes), command.finish);
      return reply.toBase64();
    }
    case "ask":
      return await ask(named(command.name), Uint8Array.fromBase64(command.bytes), command.count, command.forMs);
    case "close":
      named(command.name).close({ closeCode: 0, reason: "" });
      return "";
    case "ended":
      return await named(command.name).closed.then(
        (info) => JSON.stringify(info),
        (error: unknown) => String(error),
      );
    case "relay":
      return startRelay(command.target);
  }
}

function answer(message: Answer): void {
  let rest = new TextEncoder().encode(`${JSON.stringify(message)}\n`);
  while (rest.byteLength > 0) rest = rest.subarray(Deno.stdout.writeSync(rest));
}

for await (const line of linesOf(Deno.stdin.readable)) {
  const { id, command } = JSON.parse(line) as { readonly id: number; readonly command: Command };
  handle(command).then(
    (value) => answer({ id, value }),
    (error: unknown) => answer({ id, error: String(error) }),
  );
}
Deno.exit(0);
