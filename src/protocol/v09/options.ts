// Options of topics, streams and users in the protocol of 0.9 (spec P9 11.1): the encoding of user headers, to the end of
// the body in a request, behind a length in a reply.
//
//   key kind u8 (2), key length u32, key (1 to 255 bytes, UTF-8), value kind u8 (not 0), value length u32, value (1 to 255)

import { ByteReader } from "../byte-reader.ts";
import { type ByteWriter, encodeUtf8 } from "../byte-writer.ts";
import type { Codec } from "../codec.ts";
import { IggyError } from "../errors.ts";
import { HeaderKindCode } from "../user-headers.ts";

/** One option as it travels. */
export interface Option {
  readonly key: string;
  /** `HeaderKindCode` of the value. */
  readonly kind: number;
  readonly value: Uint8Array;
}

/** The options of a topic as a reply shows them: what its maker gave, and the rest with the values in force (spec P9 11.2). */
export interface ShownOptions {
  readonly explicit: readonly Option[];
  readonly derived: readonly Option[];
}

/** Most options in one block, and its largest size. */
export const optionsMax = 1024;
export const optionsBlockBytesMax = 100_000;

const fieldBytesMax = 255;

function readField(reader: ByteReader): Uint8Array {
  const sizeBytes = reader.u32();
  if (sizeBytes === 0 || sizeBytes > fieldBytesMax) throw new IggyError("InvalidCommand");
  return reader.bytes(sizeBytes);
}

function readOption(reader: ByteReader): Option {
  if (reader.u8() !== HeaderKindCode.string) throw new IggyError("InvalidCommand");
  const keyBytes = reader.u32();
  if (keyBytes === 0 || keyBytes > fieldBytesMax) throw new IggyError("InvalidCommand");
  const key = reader.string(keyBytes);
  const kind = reader.u8();
  if (kind === 0) throw new IggyError("InvalidCommand");
  // A copy: options stay when the memory of the request has been given back.
  return { key, kind, value: readField(reader).slice() };
}

/** Options from the reader's position to its end. */
function readBlock(reader: ByteReader): Option[] {
  if (reader.remaining > optionsBlockBytesMax) {
    throw new IggyError("OptionsBlockTooLarge", [`${reader.remaining} bytes`]);
  }
  const options: Option[] = [];
  const keys = new Set<string>();
  while (reader.remaining > 0) {
    if (options.length === optionsMax) throw new IggyError("OptionsBlockTooLarge", [`over ${optionsMax} options`]);
    const option = readOption(reader);
    if (keys.has(option.key)) throw new IggyError("InvalidCommand");
    keys.add(option.key);
    options.push(option);
  }
  return options;
}

function writeField(writer: ByteWriter, kind: number, bytes: Uint8Array): void {
  if (kind === 0 || bytes.length === 0 || bytes.length > fieldBytesMax) throw new IggyError("InvalidCommand");
  writer.u8(kind);
  writer.u32(bytes.length);
  writer.bytes(bytes);
}

/** The rules for writing are those for reading, so that what is written can be read. */
function writeBlock(writer: ByteWriter, options: readonly Option[]): void {
  if (options.length > optionsMax) throw new IggyError("OptionsBlockTooLarge", [`${options.length} options`]);
  const keys = new Set<string>();
  const start = writer.position;
  for (const { key, kind, value } of options) {
    if (keys.has(key)) throw new IggyError("InvalidCommand");
    keys.add(key);
    writeField(writer, HeaderKindCode.string, encodeUtf8(key));
    writeField(writer, kind, value);
  }
  const blockBytes = writer.position - start;
  if (blockBytes > optionsBlockBytesMax) throw new IggyError("OptionsBlockTooLarge", [`${blockBytes} bytes`]);
}

/**
 * The options of a request, to the end of the body, in the order of the sender. Errors: InvalidCommand (3) for a broken
 * block, also for a key that comes twice; OptionsBlockTooLarge (4043) beyond 1024 options or 100,000 bytes.
 */
export const optionsCodec: Codec<readonly Option[]> = {
  encode: writeBlock,
  decode: readBlock,
};

/** The options of a reply: u32 length, then the block. A broken block is InvalidFormat (4), as in the clients. */
export const sizedOptionsCodec: Codec<readonly Option[]> = {
  encode(writer, options) {
    const lengthPosition = writer.position;
    writer.u32(0);
    writeBlock(writer, options);
    writer.patchU32(lengthPosition, writer.position - lengthPosition - 4);
  },
  decode(reader) {
    const block = reader.bytes(reader.u32());
    try {
      return readBlock(new ByteReader(block));
    } catch (cause) {
      if (cause instanceof IggyError && cause.errorName === "InvalidCommand") {
        throw new IggyError("InvalidFormat", [], { cause });
      }
      throw cause;
    }
  },
};
