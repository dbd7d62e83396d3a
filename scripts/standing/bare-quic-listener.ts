// As bare-listener.ts, over QUIC: run by the sidecar's runtime. Arguments: files of the certificate and of its key.
import type { Engine, QuicConnection } from "../../src/transport/quic/engine.ts";

declare const Deno: Engine & { readTextFileSync(path: string): string; readonly args: readonly string[] };

const [certificatePath = "", keyPath = ""] = Deno.args;
const endpoint = new Deno.QuicEndpoint({ hostname: "127.0.0.1", port: 0 });
const listener = endpoint.listen({
  cert: Deno.readTextFileSync(certificatePath),
  key: Deno.readTextFileSync(keyPath),
  alpnProtocols: [],
  maxConcurrentBidirectionalStreams: 32,
  maxConcurrentUnidirectionalStreams: 0,
});
const held = new Set<QuicConnection>();
console.log(JSON.stringify({ quic: endpoint.addr.port }));
for (;;) {
  const incoming = await listener.incoming();
  incoming.accept().then(
    (connection) => {
      held.add(connection);
      const ended = () => held.delete(connection);
      connection.closed.then(ended, ended);
    },
    () => undefined, // a handshake that failed
  );
}
