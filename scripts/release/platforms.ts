// The platforms of a release: which packages the two runtimes inside an executable come from, and how the file is recognised.
import type { ForeignRuntime } from "../build.ts";

export interface Platform {
  /** As in the name of the file. */
  readonly name: string;
  readonly target: ForeignRuntime["target"];
  /** Holds Bun at `bin/bun`. */
  readonly bunPackage: string;
  /** Holds Deno, the QUIC engine, at `deno`. */
  readonly enginePackage: string;
  /** The system and processor that the head of the executable names. */
  readonly format: string;
}

export const platforms: readonly Platform[] = [
  {
    name: "linux-x64",
    target: "bun-linux-x64",
    bunPackage: "@oven/bun-linux-x64",
    enginePackage: "@deno/linux-x64-glibc",
    format: "ELF x64",
  },
  {
    name: "linux-arm64",
    target: "bun-linux-arm64",
    bunPackage: "@oven/bun-linux-aarch64",
    enginePackage: "@deno/linux-arm64-glibc",
    format: "ELF arm64",
  },
  {
    name: "darwin-arm64",
    target: "bun-darwin-arm64",
    bunPackage: "@oven/bun-darwin-aarch64",
    enginePackage: "@deno/darwin-arm64",
    format: "Mach-O arm64",
  },
];

const elfMachines: ReadonlyMap<number, string> = new Map([
  [0x3e, "x64"],
  [0xb7, "arm64"],
]);
const machProcessors: ReadonlyMap<number, string> = new Map([
  [0x01000007, "x64"],
  [0x0100000c, "arm64"],
]);
const elfMagic = 0x464c457f;
const machMagic = 0xfeedfacf;
/** As many bytes as `formatOf` looks at. */
export const headBytes = 20;

/** What an executable is for, from its first bytes: such as "ELF arm64"; "unknown" for anything else. */
export function formatOf(head: Uint8Array): string {
  if (head.byteLength < headBytes) return "unknown";
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  const magic = view.getUint32(0, true);
  const [name, processor] =
    magic === elfMagic
      ? ["ELF", elfMachines.get(view.getUint16(18, true))]
      : ["Mach-O", magic === machMagic ? machProcessors.get(view.getUint32(4, true)) : undefined];
  return processor === undefined ? "unknown" : `${name} ${processor}`;
}
