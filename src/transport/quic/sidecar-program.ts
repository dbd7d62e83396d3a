// What the QUIC sidecar consists of on this machine: the runtime (the binary of the npm package `deno`, called directly, so
// that no install script is needed) and the program. Run from source, both lie where the packages and the source are; a
// single-file executable carries them and unpacks them on first use.
import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, isAbsolute, join } from "node:path";
import { fileURLToPath } from "node:url";
import { unpackFile } from "./packed-file.ts";
import { type SidecarOrigin, sidecarOrigin } from "./sidecar-origin.ts";

export interface SidecarProgram {
  readonly runtimePath: string;
  readonly scriptPath: string;
}

/** The sidecar cannot be run on this machine; the other transports can do without. */
export class SidecarUnavailableError extends Error {
  override readonly name = "SidecarUnavailableError";
}

/**
 * The sidecar's program, ready to run. In a single-file executable: unpacked into the user's cache, where the next start
 * finds it, or into `runtimeDirectory` where that cannot be. Throws `SidecarUnavailableError` with the reason.
 */
export async function prepareSidecarProgram(
  runtimeDirectory: string,
  origin: SidecarOrigin = sidecarOrigin,
  environment: Readonly<Record<string, string | undefined>> = process.env,
): Promise<SidecarProgram> {
  if (origin.kind === "packages") return findSidecarProgram();
  if (origin.kind === "none") throw new SidecarUnavailableError("this executable was built without the QUIC engine");
  const reasons: string[] = [];
  for (const directory of [join(cacheDirectory(environment.XDG_CACHE_HOME), "whippet"), runtimeDirectory]) {
    try {
      return {
        runtimePath: await unpackFile(origin.runtime, directory),
        scriptPath: await unpackFile(origin.script, directory),
      };
    } catch (error) {
      reasons.push(error instanceof Error ? error.message : String(error));
    }
  }
  throw new SidecarUnavailableError(`the QUIC engine cannot be unpacked: ${reasons.join("; ")}`);
}

function cacheDirectory(named: string | undefined): string {
  if (named !== undefined && isAbsolute(named)) return named;
  return join(homedir(), ...(process.platform === "darwin" ? ["Library", "Caches"] : [".cache"]));
}

/** Of a clone with its packages. Throws `SidecarUnavailableError` with the reason. */
export function findSidecarProgram(platform: string = process.platform, arch: string = process.arch): SidecarProgram {
  return {
    runtimePath: findRuntime(platform, arch),
    scriptPath: fileURLToPath(new URL("./sidecar.ts", import.meta.url)),
  };
}

function findRuntime(platform: string, arch: string): string {
  const isWindows = platform === "win32";
  const name = `@deno/${platform}-${arch}${platform === "linux" ? "-glibc" : ""}`;
  let path: string;
  try {
    path = join(dirname(Bun.resolveSync(`${name}/package.json`, import.meta.dir)), isWindows ? "deno.exe" : "deno");
  } catch (error) {
    throw new SidecarUnavailableError(`the package ${name}, which holds the QUIC engine, is not installed`, {
      cause: error,
    });
  }
  if (!existsSync(path)) throw new SidecarUnavailableError(`${path}, the QUIC engine, is missing`);
  return path;
}
