// The published Rust SDKs of Iggy 0.8 and 0.9, unmodified, against the broker, over all that they offer.
import { join } from "node:path";
import { prepareRust } from "./rust-environment.ts";
import type { Tour } from "./tools.ts";
import { testTour } from "./tour.ts";

const built = prepareRust();
const binary = ["tcp", "websocket", "quic"] as const;
const names = { tcp: "tcp", websocket: "ws", quic: "quic", http: "http" } as const;

for (const [version, program, transports, shardCounts] of [
  ["0.10.0", "tour", [...binary, "http"], [1, 2]],
  ["0.11.0", "tour-09", [...binary, "http"], [2]],
] as const) {
  const tour: Tour = built.kind === "missing" ? built : { kind: "ready", command: [join(built.directory, program)] };
  testTour(
    `iggy ${version} for Rust`,
    tour,
    transports,
    (transport, host, port) => [names[transport], `${host}:${port}`],
    shardCounts,
  );
}
