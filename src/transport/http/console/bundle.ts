// Makes the files of the console's page out of its sources, in memory: at the first request where the broker runs from source,
// once and for all in the build of the executable.
import { join } from "node:path";

/** A file as it is served below /ui/assets, or `index.html`. */
export interface BundledFile {
  readonly name: string;
  /** Content type. */
  readonly type: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** The page that loads the others. */
export const pageName = "index.html";
const iconName = "icon.svg";

const types: Readonly<Record<string, string>> = {
  js: "text/javascript; charset=utf-8",
  css: "text/css; charset=utf-8",
  svg: "image/svg+xml",
  html: "text/html; charset=utf-8",
};

/** Content type by the end of a file's name. Throws for one that no file of the page has. */
export function typeOf(name: string): string {
  const type = types[name.slice(name.lastIndexOf(".") + 1)];
  if (type === undefined) throw new Error(`no content type for ${name}`);
  return type;
}

/** `directory`: `src/web`. Rejects with what the bundler has to say about sources that it does not understand. */
export async function bundleConsole(directory: string): Promise<readonly BundledFile[]> {
  const { outputs } = await Bun.build({
    entrypoints: [join(directory, "main.tsx")],
    root: directory,
    target: "browser",
    format: "esm",
    splitting: true,
    minify: true,
    define: { "process.env.NODE_ENV": '"production"' },
    naming: { entry: "[name]-[hash].[ext]", chunk: "[name]-[hash].[ext]", asset: "[name]-[hash].[ext]" },
  });
  const files: BundledFile[] = [];
  // Code that pages share has the name of the entry, too: the page names the entry, which is found first.
  const rank = ({ kind }: Bun.BuildArtifact) => (kind === "entry-point" ? 0 : 1);
  for (const output of outputs.toSorted((left, right) => rank(left) - rank(right))) {
    const name = output.path.slice(output.path.lastIndexOf("/") + 1);
    files.push({ name, type: typeOf(name), bytes: new Uint8Array(await output.arrayBuffer()) });
  }
  const icon = await Bun.file(join(directory, iconName)).bytes();
  const iconHash = new Bun.CryptoHasher("sha256").update(icon).digest("hex").slice(0, 8);
  files.push({ name: `icon-${iconHash}.svg`, type: typeOf(iconName), bytes: new Uint8Array(icon) });
  const template = await Bun.file(join(directory, pageName)).text();
  return [...files, { name: pageName, type: typeOf(pageName), bytes: new TextEncoder().encode(fill(template, files)) }];
}

/** Puts the names of the files, which have a hash, in the places of those without. */
function fill(template: string, files: readonly BundledFile[]): string {
  return template.replace(/\/ui\/assets\/([a-z-]+)\.([a-z]+)/g, (_, stem: string, extension: string) => {
    const file = files.find(({ name }) => name.startsWith(`${stem}-`) && name.endsWith(`.${extension}`));
    if (file === undefined) throw new Error(`the page names a file that is not bundled: ${stem}.${extension}`);
    return `/ui/assets/${file.name}`;
  });
}
