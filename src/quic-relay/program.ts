// The client's side of QUIC, in a process of its own and run by the engine of the server's QUIC: the runtime of the bench and of the command has no
// QUIC client that sends no ALPN, as the SDKs do. Every TCP connection to the relay becomes a QUIC connection, and every
// request frame on it a stream of its own (spec BP 2.4). First line on stdin: the target; first line on stdout: the port. It
// ends when its stdin does.

/** Where the relay connects to. */
export type RelayTarget = {
  readonly host: string;
  readonly port: number;
  readonly serverName: string;
  /** Trusted, PEM; the engine's own list if not given. */
  readonly ca?: string;
};

type LocalConnection = {
  read(bytes: Uint8Array): Promise<number | null>;
  write(bytes: Uint8Array): Promise<number>;
  setNoDelay(): void;
  close(): void;
};

type RemoteConnection = {
  createBidirectionalStream(options: { readonly waitUntilAvailable: boolean }): Promise<{
    readonly readable: ReadableStream<Uint8Array>;
    readonly writable: WritableStream<Uint8Array>;
  }>;
  close(info: { readonly closeCode: number; readonly reason: string }): void;
};

/** The part of the engine that is used here; types only, because this project is built for another runtime. */
declare const Deno: {
  connectQuic(options: {
    readonly hostname: string;
    readonly port: number;
    readonly serverName: string;
    readonly caCerts?: string[];
    readonly alpnProtocols: string[];
    readonly keepAliveInterval: number;
  }): Promise<RemoteConnection>;
  listen(options: { readonly hostname: string; readonly port: number }): AsyncIterable<LocalConnection> & {
    readonly addr: { readonly port: number };
  };
  readonly stdin: { readonly readable: ReadableStream<Uint8Array> };
  addSignalListener(signal: "SIGINT", handler: () => void): void;
  exit(code: number): never;
};

const keepAliveIntervalMs = 3000;
const lengthBytes = 4;

/** Fills `bytes`; false if the connection ends first. */
async function readWhole(local: LocalConnection, bytes: Uint8Array): Promise<boolean> {
  for (let filledBytes = 0; filledBytes < bytes.byteLength; ) {
    const count = await local.read(bytes.subarray(filledBytes));
    if (count === null) return false;
    filledBytes += count;
  }
  return true;
}

async function writeWhole(local: LocalConnection, bytes: Uint8Array): Promise<void> {
  for (let rest = bytes; rest.byteLength > 0; ) rest = rest.subarray(await local.write(rest));
}

/** The next request of SDK kind, with its length; undefined at the end. */
async function readFrame(local: LocalConnection): Promise<Uint8Array | undefined> {
  const length = new Uint8Array(lengthBytes);
  if (!(await readWhole(local, length))) return undefined;
  const frame = new Uint8Array(lengthBytes + new DataView(length.buffer).getUint32(0, true));
  frame.set(length);
  return (await readWhole(local, frame.subarray(lengthBytes))) ? frame : undefined;
}

async function relay(local: LocalConnection, { host, ca, ...target }: RelayTarget): Promise<void> {
  local.setNoDelay();
  const remote = await Deno.connectQuic({
    hostname: host,
    ...target,
    ...(ca === undefined ? {} : { caCerts: [ca] }),
    alpnProtocols: [],
    keepAliveInterval: keepAliveIntervalMs,
  });
  try {
    for (;;) {
      const frame = await readFrame(local);
      if (frame === undefined) return;
      const { readable, writable } = await remote.createBidirectionalStream({ waitUntilAvailable: true });
      const writer = writable.getWriter();
      await writer.write(frame);
      await writer.close();
      for await (const chunk of readable) await writeWhole(local, chunk);
    }
  } finally {
    remote.close({ closeCode: 0, reason: "" });
  }
}

async function serve(target: RelayTarget): Promise<void> {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  console.log(listener.addr.port);
  for await (const local of listener) {
    relay(local, target)
      .catch((error: unknown) => console.error(`QUIC relay: ${error instanceof Error ? error.message : String(error)}`))
      .finally(() => local.close());
  }
}

// Ctrl-C reaches the whole group of processes; who started the relay still needs it to clean up, and ends it.
Deno.addSignalListener("SIGINT", () => undefined);

let line = "";
const decoder = new TextDecoder();
for await (const chunk of Deno.stdin.readable) {
  const isStarted = line.includes("\n");
  line += decoder.decode(chunk, { stream: true });
  if (isStarted || !line.includes("\n")) continue;
  const target: RelayTarget = JSON.parse(line);
  void serve(target);
}
Deno.exit(0);
