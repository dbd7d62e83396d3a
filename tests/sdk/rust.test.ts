// The published Rust SDK, unmodified, against the broker, over all that it offers.
import { join } from "node:path";
import { cacheDirectory, failureOf, type Tour, testTour } from "./tour.ts";

/** The first build compiles some 300 crates: one to two minutes on two cores. */
const buildTimeoutMs = 900_000;
const crate = join(import.meta.dir, "rust");
const manifest = join(crate, "Cargo.toml");

/** Builds the tour, in a directory for its dependencies; Cargo itself sees which sources changed. */
function prepare(): Tour {
  const noCargo = failureOf(["cargo", "--version"], 30_000);
  if (noCargo !== undefined) return { kind: "missing", reason: `cargo is missing: ${noCargo}` };
  const target = cacheDirectory("rust", [manifest, join(crate, "Cargo.lock")]);
  const build = ["cargo", "build", "--locked", "--quiet", "--manifest-path", manifest, "--target-dir", target];
  const notBuilt = failureOf(build, buildTimeoutMs);
  if (notBuilt !== undefined) return { kind: "missing", reason: `cargo cannot build the tour: ${notBuilt}` };
  return { kind: "ready", command: [join(target, "debug/tour")] };
}

const names = { tcp: "tcp", websocket: "ws", quic: "quic", http: "http" } as const;
testTour("iggy 0.10.0 for Rust", prepare(), ["tcp", "websocket", "quic", "http"], (transport, host, port) => [
  names[transport],
  `${host}:${port}`,
]);
