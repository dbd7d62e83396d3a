// The files of the page, in the form in which a browser takes them. A file is found by its whole name, which holds a hash of its
// content, so it never changes; only `index.html` does, and is asked for each time.
import { type BundledFile, bundleConsole, pageName } from "./bundle.ts";
import type { ConsoleOrigin } from "./console-origin.ts";

type Encoding = "br" | "gzip" | "identity";

interface Asset {
  readonly type: string;
  /** Undefined: not in this form. */
  bytes(encoding: Encoding): Promise<Uint8Array<ArrayBuffer> | undefined>;
}

/** Best first. */
const encodings = ["br", "gzip", "identity"] as const;
/** Long names do not change the time that it takes; what is below the page's own folder is for as long as browsers keep things. */
const immutable = "public, max-age=31536000, immutable";
/** Good enough for the way from this machine to itself, and 5 ms for all files. */
const gzipLevel = 6;

export class ConsoleAssets {
  readonly #files: ReadonlyMap<string, Asset>;
  /** Hash of all files. */
  readonly hash: string;

  private constructor(files: ReadonlyMap<string, Asset>, hash: string) {
    this.#files = files;
    this.hash = hash;
  }

  /** Rejects where the sources cannot be bundled. */
  static async load(origin: ConsoleOrigin): Promise<ConsoleAssets> {
    const files = new Map<string, Asset>();
    if (origin.kind === "source") {
      for (const file of await bundleConsole(origin.directory)) files.set(file.name, inMemory(file));
    } else {
      for (const { name, type, gzip, brotli } of origin.files) {
        const paths = { gzip, br: brotli };
        files.set(name, {
          type,
          bytes: async (encoding) =>
            encoding === "identity"
              ? Bun.gunzipSync(await Bun.file(gzip).bytes())
              : ((await Bun.file(paths[encoding]).bytes()) as Uint8Array<ArrayBuffer>),
        });
      }
    }
    // Their names hold the hashes of the others.
    const page = await files.get(pageName)?.bytes("identity");
    if (page === undefined) throw new Error("the page of the console is missing");
    return new ConsoleAssets(files, new Bun.CryptoHasher("sha256").update(page).digest("hex").slice(0, 16));
  }

  /** `index.html`, at any address that the page gives itself. */
  async page(request: Request): Promise<Response> {
    const etag = `"${this.hash}"`;
    const headers = { etag, "cache-control": "no-cache" };
    if (request.headers.get("if-none-match") === etag) return new Response(null, { status: 304, headers });
    return await answer(request, this.#files.get(pageName)!, headers);
  }

  /** A file below /ui/assets by its name; undefined: there is none. */
  async file(request: Request, name: string): Promise<Response | undefined> {
    const asset = name === pageName ? undefined : this.#files.get(name);
    return asset && (await answer(request, asset, { "cache-control": immutable }));
  }
}

function inMemory({ type, bytes }: BundledFile): Asset {
  let gzip: Uint8Array<ArrayBuffer> | undefined;
  return {
    type,
    bytes: async (encoding) => {
      if (encoding === "identity") return bytes;
      if (encoding === "br") return undefined;
      gzip ??= Bun.gzipSync(bytes, { level: gzipLevel });
      return gzip;
    },
  };
}

async function answer(request: Request, asset: Asset, more: Readonly<Record<string, string>>): Promise<Response> {
  const accepted = acceptedEncodings(request.headers.get("accept-encoding"));
  for (const encoding of encodings) {
    if (!accepted.has(encoding)) continue;
    const bytes = await asset.bytes(encoding);
    if (bytes === undefined) continue;
    return new Response(bytes, {
      headers: {
        "content-type": asset.type,
        "content-length": String(bytes.byteLength),
        ...(encoding === "identity" ? {} : { "content-encoding": encoding }),
        vary: "accept-encoding",
        ...more,
      },
    });
  }
  throw new Error("every file has a form without encoding");
}

function acceptedEncodings(header: string | null): ReadonlySet<string> {
  const accepted = new Set(["identity"]);
  for (const entry of (header ?? "").split(",")) {
    const [name = "", ...parameters] = entry.split(";").map((part) => part.trim().toLowerCase());
    if (!parameters.some((parameter) => /^q=0(?:\.0*)?$/.test(parameter))) accepted.add(name);
  }
  return accepted;
}
