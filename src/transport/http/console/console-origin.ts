// Where the files of the console's page come from. Run from source, they are bundled when the first of them is asked for. The
// build of the single-file executable (scripts/build.ts) puts a module of the same shape in the place of this one.
import { join } from "node:path";

/** A file of the executable: compressed twice, as browsers take it. */
export interface EmbeddedFile {
  readonly name: string;
  readonly type: string;
  /** Paths inside the executable. */
  readonly gzip: string;
  readonly brotli: string;
}

export type ConsoleOrigin =
  | { readonly kind: "source"; readonly directory: string }
  /** `index.html` among them. */
  | { readonly kind: "embedded"; readonly files: readonly EmbeddedFile[] };

export const consoleOrigin: ConsoleOrigin = { kind: "source", directory: join(import.meta.dir, "../../../web") };
