/** Writes metadata logs as Iggy 0.8 does (spec SB 3.8), for what the recorded one does not have. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ByteWriter } from "../../src/protocol/byte-writer.ts";
import { type Codec, encode } from "../../src/protocol/codec.ts";
import { CommandCode, type CommandName } from "../../src/protocol/codes.ts";
import type { Cipher } from "../../src/security/encryption.ts";

/** The log that Iggy 0.8.0 wrote. */
export const recordedLog: Uint8Array = new Uint8Array(
  readFileSync(join(import.meta.dir, "../golden/data-directory/state/log")),
);

export interface WrittenEntry {
  readonly command: CommandName | number;
  readonly bytes: Uint8Array;
  /** As many as came before when absent. */
  readonly index?: number;
  readonly userId?: number;
  readonly timestampMicros?: number;
}

export function request<T>(codec: Codec<T>, value: T): Uint8Array {
  return encode(codec, value);
}

/** As commands that create something are logged. */
export function withId<T>(id: number, codec: Codec<T>, value: T): Uint8Array {
  const writer = new ByteWriter();
  const inner = encode(codec, value);
  writer.u32(id);
  writer.u32(inner.byteLength);
  writer.bytes(inner);
  return writer.finish();
}

export function withHash<T>(hash: string, codec: Codec<T>, value: T): Uint8Array {
  const writer = new ByteWriter();
  const inner = encode(codec, value);
  writer.u32(hash.length);
  writer.bytes(new TextEncoder().encode(hash));
  writer.u32(inner.byteLength);
  writer.bytes(inner);
  return writer.finish();
}

export function writeLog(entries: readonly WrittenEntry[], cipher?: Cipher, context = new Uint8Array(0)): Uint8Array {
  return Buffer.concat(entries.map((entry, number) => writeEntry(entry, entry.index ?? number, cipher, context)));
}

function writeEntry(entry: WrittenEntry, index: number, cipher: Cipher | undefined, context: Uint8Array): Uint8Array {
  const code = typeof entry.command === "number" ? entry.command : CommandCode[entry.command];
  const head = new ByteWriter();
  head.u64(BigInt(index));
  head.u64(0n); // term
  head.u32(0); // leader
  head.u32(8000);
  head.u64(0n); // flags
  head.u64(BigInt(entry.timestampMicros ?? 1_700_000_000_000_000 + index));
  head.u32(entry.userId ?? 0);
  const tail = (command: Uint8Array) => {
    const writer = new ByteWriter();
    writer.u32(context.byteLength);
    writer.bytes(context);
    writer.u32(code);
    writer.u32(command.byteLength);
    writer.bytes(command);
    return writer.finish();
  };
  const headBytes = head.finish();
  const checksum = new ByteWriter();
  checksum.u64(Bun.hash.xxHash3(Buffer.concat([headBytes, tail(entry.bytes)])));
  return Buffer.concat([headBytes, checksum.finish(), tail(cipher ? cipher.encrypt(entry.bytes) : entry.bytes)]);
}
