// As generator.ts, over QUIC: run by the sidecar's runtime, since that of the project has no client without ALPN. Arguments:
// port, file of the certificate, how many, how many a second.
import type { QuicConnection, QuicOptions, QuicStream } from "../../src/transport/quic/engine.ts";

interface ClientOptions extends QuicOptions {
  readonly hostname: string;
  readonly port: number;
  readonly serverName: string;
  readonly caCerts: string[];
  readonly alpnProtocols: string[];
  readonly endpoint: unknown;
}

interface ClientConnection extends QuicConnection {
  createBidirectionalStream(): Promise<QuicStream>;
}

declare const Deno: {
  connectQuic(options: ClientOptions): Promise<ClientConnection>;
  readonly QuicEndpoint: new (address: { readonly hostname: string; readonly port: number }) => unknown;
  readTextFileSync(path: string): string;
  readonly args: readonly string[];
  readonly stdin: { readonly readable: ReadableStream<Uint8Array> };
  exit(code: number): never;
};

const [port = "", certificatePath = "", count = "", perSecond = ""] = Deno.args;
const certPem = Deno.readTextFileSync(certificatePath);
/** Each with a socket. */
const addressesCount = 100;
const endpoints = Array.from(
  { length: addressesCount },
  (_, index) => new Deno.QuicEndpoint({ hostname: `127.0.0.${2 + index}`, port: 0 }),
);
const ping = new Uint8Array([4, 0, 0, 0, 1, 0, 0, 0]);
const counts = { opened: 0, failed: 0, answered: 0, closed: 0 };
const held = new Set<ClientConnection>();
const streams: QuicStream[] = [];

async function open(index: number): Promise<void> {
  const connection = await Deno.connectQuic({
    hostname: "127.0.0.1",
    port: Number(port),
    serverName: "localhost",
    caCerts: [certPem],
    alpnProtocols: [],
    endpoint: endpoints[index % addressesCount],
  });
  counts.opened++;
  held.add(connection);
  const ended = () => {
    if (held.delete(connection)) counts.closed++;
  };
  connection.closed.then(ended, ended);
  const kind = index % 3;
  if (kind === 0) return;
  const stream = await connection.createBidirectionalStream();
  const writer = stream.writable.getWriter();
  await writer.write(kind === 1 ? ping.subarray(0, 3) : ping);
  if (kind === 1) {
    streams.push(stream); // the engine would end it if it were collected
    return;
  }
  await writer.close();
  const { done } = await stream.readable.getReader().read();
  if (!done) counts.answered++;
}

const startMs = performance.now();
for (let startedCount = 0; startedCount < Number(count); ) {
  const dueCount = Math.ceil(((performance.now() - startMs) / 1000) * Number(perSecond));
  for (; startedCount < Math.min(dueCount, Number(count)); startedCount++) {
    open(startedCount).catch(() => {
      counts.failed++;
    });
  }
  await new Promise((resolve) => setTimeout(resolve, 50));
}
console.log(JSON.stringify({ ...counts, held: held.size, guesses: 0 }));
for await (const _ of Deno.stdin.readable); // its end is the word to stop
Deno.exit(0);
