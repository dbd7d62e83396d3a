// Files of messages, compressed where their names say so, and the standard streams in their place.

import { createReadStream, createWriteStream, type WriteStream } from "node:fs";
import { pipeline } from "node:stream";
import { createGunzip, createGzip, createZstdCompress, createZstdDecompress } from "node:zlib";
import type { Host } from "../host.ts";
import type { Output } from "../output/output.ts";
import { Problem } from "../problem.ts";

const chunkBytes = 1024 * 1024;

/** Takes bytes one piece after the other. */
export interface ByteSink {
  write(bytes: Uint8Array): Promise<void>;
  /** Everything is where it belongs. */
  end(): Promise<void>;
}

/** `path` undefined: standard output. A file that exists is refused unless it is `appended` to. */
export function openSink(path: string | undefined, output: Output, { isAppended = false } = {}): ByteSink {
  if (path === undefined) return { write: (bytes) => output.bytes(bytes), end: () => Promise.resolve() };
  const file = createWriteStream(path, { flags: isAppended ? "a" : "wx" });
  const packer = packerOf(path);
  if (packer === undefined) return sinkOf(file, file);
  pipeline(packer, file, () => undefined); // the error is that of the file, which `sinkOf` waits for
  return sinkOf(packer, file);
}

/** A second frame, or member, behind the first is read as if it were one file. */
function packerOf(path: string) {
  if (path.endsWith(".zst")) return createZstdCompress();
  return path.endsWith(".gz") ? createGzip() : undefined;
}

function sinkOf(into: NodeJS.WritableStream, file: WriteStream): ByteSink {
  let failure: unknown;
  const failed = new Promise<never>((_, reject) => {
    file.once("error", (error) => {
      failure = problemOfExport(error, String(file.path));
      reject(failure);
    });
  });
  failed.catch(() => undefined); // told by whoever writes or ends
  return {
    async write(bytes) {
      if (failure !== undefined) throw failure;
      if (!into.write(bytes)) await Promise.race([new Promise((resolve) => into.once("drain", resolve)), failed]);
    },
    async end() {
      const closed = new Promise<void>((resolve) => file.once("close", resolve));
      into.end();
      await Promise.race([closed, failed]);
    },
  };
}

/** The bytes of a file, unpacked. `-`: standard input. */
export async function* readBytes(path: string, { stdin }: Host): AsyncGenerator<Uint8Array, void, undefined> {
  if (path === "-") {
    for (let chunk = await stdin.read(); chunk !== undefined; chunk = await stdin.read()) yield chunk;
    return;
  }
  const file = createReadStream(path, { highWaterMark: chunkBytes });
  try {
    if (path.endsWith(".zst")) yield* pipeline(file, createZstdDecompress(), () => undefined);
    else if (path.endsWith(".gz")) yield* pipeline(file, createGunzip(), () => undefined);
    else yield* file;
  } catch (error) {
    throw problemOfFile(error, path);
  } finally {
    file.destroy();
  }
}

function problemOfFile(error: unknown, path: string): unknown {
  if (!(error instanceof Error) || !("code" in error)) return error;
  if (error.code === "ENOENT") return new Problem(`there is no file ${path}`, { exitCode: 5, cause: error });
  return new Problem(`${path}: ${error.message}`, { cause: error });
}

/** Of a file that is made or appended to. */
function problemOfExport(error: unknown, path: string): unknown {
  if (error instanceof Error && "code" in error && error.code === "EEXIST") {
    return new Problem(`${path} exists`, { hints: ["Go on behind its last message: --resume"], cause: error });
  }
  return problemOfWriting(error, path);
}

/** Why nothing could be written to a file. */
export function problemOfWriting(error: unknown, path: string): unknown {
  if (!(error instanceof Error) || !("code" in error)) return error;
  const why = error.code === "ENOENT" ? "its directory is not there" : error.message;
  return new Problem(`${path} cannot be written: ${why}`, { cause: error });
}

/** Lines without their ends, with the number of each, from 1 on. */
export async function* linesOf(
  chunks: AsyncIterable<Uint8Array>,
): AsyncGenerator<{ readonly text: string; readonly number: number }, void, undefined> {
  const decoder = new TextDecoder("utf-8", { ignoreBOM: false });
  let rest: Uint8Array = new Uint8Array(0);
  let number = 0;
  for await (const chunk of chunks) {
    let bytes: Uint8Array = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    for (let end = bytes.indexOf(10); end >= 0; end = bytes.indexOf(10)) {
      number++;
      yield { text: decoder.decode(bytes.subarray(0, end)), number };
      bytes = bytes.subarray(end + 1);
    }
    rest = bytes;
  }
  if (rest.length > 0) yield { text: decoder.decode(rest), number: number + 1 };
}
