// Where the QUIC sidecar's runtime and program come from. Run from source, they are files of the clone and of its packages.
// The build of the single-file executable (scripts/build.ts) puts a module of the same shape in the place of this one.
import type { PackedFile } from "./packed-file.ts";

export type SidecarOrigin =
  | { readonly kind: "packages" }
  | { readonly kind: "executable"; readonly runtime: PackedFile; readonly script: PackedFile }
  /** An executable that was built where the engine was not installed. */
  | { readonly kind: "none" };

export const sidecarOrigin: SidecarOrigin = { kind: "packages" };
