// The program of the QUIC sidecar. It runs in a process and a runtime of its own (Deno, whose QUIC engine accepts clients
// without ALPN, as the SDKs are) and hands every connection of a client to the broker. It is told what to do on stdin, and
// ends when that closes: a broker that dies takes its sidecar along.
import { formatListenAddress } from "../../config/address.ts";
import { Bridge, lingerMs } from "./bridge.ts";
import type { Engine, NetAddress, QuicEndpoint, QuicIncoming, QuicListener } from "./engine.ts";
import type { FromSidecar, SidecarStart, ToSidecar } from "./sidecar-messages.ts";

declare const Deno: Engine;
/** Of the engine's flag `--expose-gc`. */
declare const gc: () => void;

/**
 * What the engine holds for a connection that is gone is freed with an object of some bytes, whose collection nothing hurries:
 * 6,000 that came and went left 190 MB behind. Then this many are enough for a collection, which takes some 10 ms.
 */
const goneConnectionsMax = 64;
let goneConnections = 0;

function connectionGone(): void {
  if (++goneConnections < goneConnectionsMax) return;
  goneConnections = 0;
  gc();
}

function pause(durationMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, durationMs));
}

function say(message: FromSidecar): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${JSON.stringify(message)}\n`));
}

class Sidecar {
  readonly #start: SidecarStart;
  readonly #endpoint: QuicEndpoint;
  /** All are kept: the engine stops listening when an earlier one is collected. */
  readonly #listeners: QuicListener[] = [];

  /** Throws if the address cannot be bound or the certificate cannot be used. */
  constructor(start: SidecarStart) {
    this.#start = start;
    this.#endpoint = new Deno.QuicEndpoint({ hostname: start.host, port: start.port });
    this.useCertificate(start);
  }

  get address(): NetAddress {
    return this.#endpoint.addr;
  }

  /** For connections from now on. */
  useCertificate({ certPem, keyPem }: { readonly certPem: string; readonly keyPem: string }): void {
    const { streamsMax, keepAliveMs, idleTimeoutMs } = this.#start;
    const listener = this.#endpoint.listen({
      cert: certPem,
      key: keyPem,
      alpnProtocols: [],
      maxConcurrentBidirectionalStreams: streamsMax,
      maxConcurrentUnidirectionalStreams: 0,
      ...(keepAliveMs === undefined ? {} : { keepAliveInterval: keepAliveMs }),
      ...(idleTimeoutMs === undefined ? {} : { maxIdleTimeout: idleTimeoutMs }),
    });
    this.#listeners.push(listener);
  }

  /** Every client is told. */
  close(): void {
    this.#endpoint.close({ closeCode: 0, reason: "" });
  }

  async acceptAll(): Promise<never> {
    const [listener] = this.#listeners;
    for (;;) {
      this.#serve(await listener!.incoming())
        .catch(() => undefined) // a handshake that failed
        .finally(connectionGone);
    }
  }

  async #serve(incoming: QuicIncoming): Promise<void> {
    const client = await incoming.accept();
    client.closed.catch(() => undefined); // the bridge sees it
    const { hostname, port } = client.remoteAddr;
    try {
      const broker = await Deno.connect({ transport: "unix", path: this.#start.socketPath });
      await new Bridge(client, broker, this.#start.frames).run(formatListenAddress({ host: hostname, port }));
    } catch (error) {
      client.close({ closeCode: 0, reason: "" });
      console.error(`a connection could not be handed on: ${String(error)}`);
    }
  }
}

let sidecar: Sidecar | undefined;
let isEnding = false;

function handle(message: ToSidecar): void {
  if (message.kind === "certificate") {
    try {
      sidecar?.useCertificate(message);
    } catch (error) {
      console.error(`the new certificate cannot be used, the earlier one stays: ${String(error)}`);
    }
    return;
  }
  try {
    sidecar = new Sidecar(message);
  } catch (error) {
    say({ kind: "refused", reason: error instanceof Error ? error.message : String(error) });
    Deno.exit(1);
  }
  sidecar.acceptAll().catch((error: unknown) => {
    if (isEnding) return;
    console.error(`no more connections are accepted: ${String(error)}`);
    Deno.exit(1); // the broker starts another one
  });
  say({ kind: "listening", port: sidecar.address.port });
}

// A service manager tells every process of a service at once; the broker still needs this one for its last replies.
Deno.addSignalListener("SIGTERM", () => undefined);

const decoder = new TextDecoder();
let unread = "";
for await (const chunk of Deno.stdin.readable) {
  const lines = (unread + decoder.decode(chunk, { stream: true })).split("\n");
  unread = lines.pop() ?? "";
  for (const line of lines) handle(JSON.parse(line) as ToSidecar);
}
await pause(lingerMs);
isEnding = true;
sidecar?.close();
await pause(lingerMs);
Deno.exit(0);
