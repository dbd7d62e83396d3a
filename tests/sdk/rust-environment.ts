// The programs in Rust with the published crates of Iggy 0.8 and 0.9 in them, built outside the repository.
import { join } from "node:path";
import { cacheDirectory, failureOf } from "./tools.ts";

/** The first build compiles some 450 crates: two to three minutes on two cores. */
const buildTimeoutMs = 900_000;
const crate = join(import.meta.dir, "rust");
const manifest = join(crate, "Cargo.toml");

/** Where the programs are, or why there are none. */
export type RustEnvironment =
  | { readonly kind: "ready"; readonly directory: string }
  | { readonly kind: "missing"; readonly reason: string };

/** Builds the programs, in a directory for their dependencies; Cargo itself sees which sources changed. */
export function prepareRust(): RustEnvironment {
  const noCargo = failureOf(["cargo", "--version"], 30_000);
  if (noCargo !== undefined) return { kind: "missing", reason: `cargo is missing: ${noCargo}` };
  const target = cacheDirectory("rust", [manifest, join(crate, "Cargo.lock")]);
  const build = ["cargo", "build", "--locked", "--quiet", "--manifest-path", manifest, "--target-dir", target];
  const notBuilt = failureOf(build, buildTimeoutMs);
  if (notBuilt !== undefined) return { kind: "missing", reason: `cargo cannot build the tour: ${notBuilt}` };
  return { kind: "ready", directory: join(target, "debug") };
}
