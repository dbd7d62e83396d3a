// What reads the bytes of clients of 0.9, in process: a million inputs.
// Before the login: headers, registers. Behind it: heads of sends, batches, requests; and in clients, replies.
import { expect, test } from "bun:test";
import type { Random } from "../../src/platform/random.ts";
import { type Codec, decode, encode } from "../../src/protocol/codec.ts";
import { IggyError } from "../../src/protocol/errors.ts";
import { readSendHead09 } from "../../src/protocol/v09/batch-layout.ts";
import { codecsOf09 } from "../../src/protocol/v09/codecs.ts";
import { commandCodeOf, headerBytes, operationOf } from "../../src/protocol/v09/headers.ts";
import { type CommandName09, isFramedOperation, requestOf } from "../../src/protocol/v09/operations.ts";
import { parseRegister } from "../../src/protocol/v09/register.ts";
import { readResultSection } from "../../src/protocol/v09/result-section.ts";
import { isSend09, startBytesOfSend09 } from "../../src/server/index.ts";
import { FrameParser, type FramePlan, type FrameSink, type PayloadTarget } from "../../src/transport/frame-parser.ts";
import record from "../golden/conversation-0.9.json" with { type: "json" };
import { requestFrame } from "../protocol/v09/support.ts";
import { bothArenas } from "../storage/kernel/kernel-arena.ts";
import { unpack } from "../storage/kernel/record-arena.ts";
import { buildSent, parseRecords } from "../storage/kernel/records.ts";
import { fuzzTimes } from "./anonymous-inputs.ts";
import { joined } from "./calm.ts";
import { forInputs } from "./for-inputs.ts";
import { broken09, damagedRecord, quickRequest09, registerBodies, sendBody } from "./inputs-09.ts";
import { mutate } from "./mutate.ts";

const inputs = { frames: 180_000, registers: 280_000, requests: 280_000, replies: 130_000, batches: 130_000 } as const;
const timeLimitMs = 120_000 * fuzzTimes;

const collectedBytesMax = 64 * 1024;

/** Takes what a connection with a login takes; now and then it cannot go on at once. */
class Sink09 implements FrameSink {
  /** What was read, one word for each call. */
  readonly calls: string[] = [];
  /** Something was not taken yet. */
  hasWaited = false;
  readonly #random: Random | undefined;
  #head: { readonly view: Uint8Array; readonly copy: Uint8Array } | undefined;
  #target: PayloadTarget = { memory: new Uint8Array(0), position: 0 };

  /** Without chance it never waits. */
  constructor(random?: Random) {
    this.#random = random;
  }

  isReady(): boolean {
    return !this.#waits();
  }

  plan(code: number, payloadBytes: number): FramePlan {
    this.calls.push(`plan ${code} ${payloadBytes}`);
    return "discard";
  }

  request(): void {
    throw new Error("a request that was to be discarded");
  }

  plan09(header: Uint8Array, bodyBytes: number): FramePlan {
    if (this.#waits()) return "wait";
    this.calls.push(`09 ${header.toHex()} ${bodyBytes}`);
    if (bodyBytes > 2 ** 24) return "stop";
    if (isSend09(header)) return "sendHead";
    return bodyBytes > collectedBytesMax ? "discard" : "collect";
  }

  planSend09(head: Uint8Array | undefined, framesBytes: number): FramePlan {
    if (this.#waits()) return "wait";
    const startBytes = head === undefined ? "no head" : startBytesOfSend09(head, framesBytes);
    this.calls.push(`head ${head?.toHex()} ${framesBytes} ${startBytes}`);
    if (head === undefined || typeof startBytes !== "number" || framesBytes > collectedBytesMax) return "discard";
    // The index rows and the longer headers of as many messages as the bytes that follow can hold.
    if (startBytes > head.byteLength + (framesBytes / 48) * 32)
      throw new Error(`${startBytes} for ${framesBytes} bytes`);
    this.#head = { view: head, copy: head.slice() };
    this.#target = { memory: new Uint8Array(startBytes + framesBytes).fill(0xee), position: startBytes };
    return "target";
  }

  target(usedBytes: number): PayloadTarget | undefined {
    if (this.#waits()) return undefined;
    const { memory, position } = this.#target;
    if (position + usedBytes > memory.byteLength) throw new Error("more bytes than announced");
    return this.#target;
  }

  targetComplete(): void {
    const { memory, position } = this.#target;
    const { view, copy } = this.#head!;
    if (Buffer.compare(view, copy) !== 0) throw new Error("the head of a send is not its own any more");
    if (memory.subarray(0, position).some((byte) => byte !== 0xee)) throw new Error("bytes before the target");
    const end = view.byteLength;
    const place = named(() => readSendHead09(view, 0, end, memory.byteLength - position));
    this.calls.push(`send ${memory.subarray(position).toHex()} ${JSON.stringify(place)}`);
  }

  request09(body: Uint8Array): void {
    this.calls.push(`request ${body.toHex()}`);
  }

  discarded(): void {
    this.calls.push("discarded");
  }

  broken(): void {
    this.calls.push("broken");
  }

  #waits(): boolean {
    if (this.#random === undefined || this.#random.u32() % 8 !== 0) return false;
    this.hasWaited = true;
    return true;
  }
}

/** The value, or the name of the error of the table. */
function named<T>(read: () => T): T | string {
  try {
    return read();
  } catch (error) {
    if (error instanceof IggyError) return error.errorName;
    throw error;
  }
}

/** A request of any kind, or a send whose body is damaged. */
function someRequest(random: Random): Uint8Array {
  if (random.u32() % 2 === 0) return quickRequest09(random);
  const body = random.u32() % 2 === 0 ? sendBody(random) : mutate(sendBody(random), random);
  return requestFrame({ operation: 160, session: 1n, body });
}

test(
  "frames, and heads of sends: any bytes are read, and the same whatever pieces they come in and whatever has to wait",
  async () => {
    await forInputs(inputs.frames, (random) => {
      const bytes = joined([someRequest(random), someRequest(random), broken09(random)]);
      const [whole, inPieces] = [new Sink09(), new Sink09(random)];
      new FrameParser(whole, "auto").push(bytes.slice());
      const parser = new FrameParser(inPieces, "auto");
      for (let start = 0; start < bytes.byteLength; ) {
        const end = start + 1 + (random.u32() % 400);
        parser.push(bytes.slice(start, end));
        while (inPieces.hasWaited) {
          inPieces.hasWaited = false;
          parser.resume();
        }
        start = end;
      }
      if (whole.calls.join() !== inPieces.calls.join()) {
        throw new Error(`${bytes.toHex()}: whole ${whole.calls.join()}; in pieces ${inPieces.calls.join()}`);
      }
    });
  },
  timeLimitMs,
);

test(
  "registers: password, token, another version or none of them, and never past the end",
  async () => {
    const kinds = new Map<string, number>();
    await forInputs(inputs.registers, (random) => {
      const body = mutate(registerBodies[random.u32() % registerBodies.length]!, random);
      const parsed = parseRegister(body);
      kinds.set(parsed.kind, (kinds.get(parsed.kind) ?? 0) + 1);
      if (parsed.kind !== "register") return;
      const { password, token, sdkName, sdkVersion } = parsed.request;
      if (password === undefined && token === undefined) throw new Error(`no login in ${body.toHex()}`);
      const texts = [sdkName, sdkVersion, password?.username, password?.password, token];
      const readBytes = texts.reduce((sum, text) => sum + Buffer.byteLength(text ?? "\ufffd".repeat(0)), 0);
      // Both forms of one body, at worst; what is not UTF-8 may grow to three times its size.
      if (readBytes > 6 * body.byteLength) throw new Error(`more than there is in ${body.toHex()}`);
    });
    for (const kind of ["register", "incompatible", "malformed"]) expect(kinds.get(kind)).toBeGreaterThan(1000);
  },
  timeLimitMs,
);

/** Frames of the recorded conversation that are of a command, by who sent them. */
function recorded(from: string): { readonly name: CommandName09; readonly frame: Uint8Array }[] {
  const rows = record.filter((row) => row.frame !== undefined && row.connection !== undefined);
  return rows.flatMap((row, index) => {
    if (row.from !== from) return [];
    const frame = Uint8Array.fromHex(row.frame!);
    // A reply belongs to the request before it on its connection.
    const asked =
      from === "client" ? row : rows.slice(0, index).findLast(({ connection }) => connection === row.connection);
    if (asked?.from !== "client") return [];
    const header = Uint8Array.fromHex(asked.frame!);
    if (header.byteLength < headerBytes) return [];
    const request = requestOf(operationOf(header), commandCodeOf(header));
    return request.kind === "command" ? [{ name: request.name, frame }] : [];
  });
}

test(
  "requests of every command: a value that can be written again, or an error of the table",
  async () => {
    const sent = recorded("client");
    expect(new Set(sent.map(({ name }) => name)).size).toBeGreaterThan(30);
    let readCount = 0;
    await forInputs(inputs.requests, (random) => {
      const { name, frame } = sent[random.u32() % sent.length]!;
      const codec = codecsOf09(name).request as Codec<unknown>;
      const body = mutate(frame.subarray(headerBytes), random);
      const value = named(() => [decode(codec, body)]);
      if (typeof value === "string") return;
      readCount++;
      if (value[0] === undefined) return; // nothing to say
      const again = decode(codec, encode(codec, value[0]));
      if (!Bun.deepEquals(again, value[0])) throw new Error(`${name}: ${body.toHex()}`);
    });
    expect(readCount).toBeGreaterThan(inputs.requests / 10);
  },
  timeLimitMs,
);

test(
  "replies to every command, in a client: a value, or an error of the table",
  async () => {
    const replies = recorded("server");
    expect(new Set(replies.map(({ name }) => name)).size).toBeGreaterThan(30);
    let readCount = 0;
    await forInputs(inputs.replies, (random) => {
      const { name, frame } = replies[random.u32() % replies.length]!;
      const body = mutate(frame.subarray(headerBytes), random);
      const result = isFramedOperation(frame[208]!) ? named(() => readResultSection(body)) : { payloadPosition: 0 };
      if (typeof result === "string") return;
      const codec = codecsOf09(name).reply as Codec<unknown>;
      if (typeof named(() => [decode(codec, body.subarray(result.payloadPosition))]) !== "string") readCount++;
    });
    expect(readCount).toBeGreaterThan(inputs.replies / 10);
  },
  timeLimitMs,
);

test(
  "batches: both kernels say the same, touch nothing else, and what they take can be stored",
  async () => {
    const { wasm, js } = bothArenas(1024 * 1024);
    let takenCount = 0;
    await forInputs(inputs.batches, (random) => {
      const batch = damagedRecord(random);
      if (batch.byteLength < headerBytes) return; // not whole: no kernel ever sees it
      const framesBytes = batch.byteLength - headerBytes;
      const claimed = new DataView(batch.buffer, batch.byteOffset).getUint32(48, true);
      const count = claimed * 48 <= framesBytes ? claimed : 1;
      const [left, right] = [unpack(wasm, batch, count), unpack(js, batch, count)];
      if (typeof left.code !== "number" || left.code !== right.code) {
        throw new Error(`${batch.toHex()}: ${left.code} in WebAssembly, ${right.code} in TypeScript`);
      }
      if (!left.canariesLive || !right.canariesLive) throw new Error(`${batch.toHex()}: bytes of others`);
      if (left.code !== 0) return;
      takenCount++;
      const messages = new Uint8Array(Buffer.concat(parseRecords(batch).map(buildSent)));
      if (Buffer.compare(left.messages, messages) !== 0 || Buffer.compare(right.messages, messages) !== 0) {
        throw new Error(`${batch.toHex()}: other messages`);
      }
      const { rowsPosition, messagesPosition } = wasm.place(left.rows, left.messages, true);
      const code = wasm.kernel.validate(rowsPosition, count, messagesPosition, messages.byteLength);
      if (code !== 0) throw new Error(`${batch.toHex()}: taken, and ${code} for the append`);
      wasm.kernel.stamp(rowsPosition, count, messagesPosition, messages.byteLength, 0, 0, 0, 1);
    });
    expect(takenCount).toBeGreaterThan(inputs.batches / 20);
  },
  timeLimitMs,
);
