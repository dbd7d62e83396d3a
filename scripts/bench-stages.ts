// A micro benchmark of each stage of a send, one after the other over the same batches: where the time of a send goes, before
// anybody guesses. CPU time, not instructions: many machines give no hardware counters to their guests.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import type { Socket } from "bun";
import { descriptorOf, MessageFlag, native } from "../src/platform/ffi.ts";
import { realDisk } from "../src/platform/real-disk.ts";
import { encodeSendMessages } from "../src/protocol/message/send-messages.ts";
import { indexRowBytes } from "../src/protocol/message-layout.ts";
import { kernelReservedBytes, WasmBatchKernel } from "../src/storage/index.ts";

const usage = `Times the stages of a send: receive, validate, stamp, write, reply.

Usage: npm run bench:stages -- [options]
  --messages N   messages of a batch (1000)
  --bytes N      payload of a message (1000)
  --batches N    batches of each stage (2000)

Columns: MB/s of the stage alone, of elapsed time; CPU time of this process for one message. Batches go round through 24 places, as those of busy
producers do, so that most of their bytes are not in the cache of the core when a stage begins.
`;

const places = 24;
const replyBytes = 8;
const warmUpBatches = 200;
const timestampMicros = 1_752_000_000_000_000;

const { values } = parseArgs({
  options: {
    messages: { type: "string", default: "1000" },
    bytes: { type: "string", default: "1000" },
    batches: { type: "string", default: "2000" },
    help: { type: "boolean", default: false },
    "send-to": { type: "string" },
  },
});

interface Sizes {
  readonly messagesCount: number;
  readonly payloadBytes: number;
  readonly batchesCount: number;
}

function sizesOf(): Sizes {
  const [messagesCount, payloadBytes, batchesCount] = [values.messages, values.bytes, values.batches].map(Number);
  const isWhole = [messagesCount, payloadBytes, batchesCount].every(
    (value) => Number.isSafeInteger(value) && value! > 0,
  );
  if (!isWhole) throw new Error("--messages, --bytes and --batches are whole numbers above 0");
  return { messagesCount: messagesCount!, payloadBytes: payloadBytes!, batchesCount: batchesCount! };
}

function payloadOf({ messagesCount, payloadBytes }: Sizes): Uint8Array {
  const name = (value: string) => ({ kind: "string", value }) as const;
  const payload = Uint8Array.from({ length: payloadBytes }, (_, index) => index & 0xff);
  const messages = Array.from({ length: messagesCount }, () => ({ payload }));
  const partitioning = { kind: "partition", partitionId: 0 } as const;
  return encodeSendMessages({ stream: name("s"), topic: name("t"), partitioning, messages });
}

/** The other side: writes every batch to the port, and takes what comes back until the end. */
async function sendAll(port: number, sizes: Sizes): Promise<void> {
  const payload = payloadOf(sizes);
  const done = Promise.withResolvers<void>();
  let left = sizes.batchesCount * payload.byteLength;
  const write = (socket: Socket) => {
    while (left > 0) {
      const position = (payload.byteLength - (left % payload.byteLength)) % payload.byteLength;
      const count = socket.write(payload.subarray(position));
      if (count <= 0) return;
      left -= count;
    }
  };
  await Bun.connect({
    ...{ hostname: "127.0.0.1", port },
    socket: { open: write, drain: write, data: () => {}, close: () => done.resolve(), error: (_, e) => done.reject(e) },
  });
  await done.promise;
}

/** Elapsed and CPU time of the stage by batch, in µs. */
interface Times {
  readonly name: string;
  readonly elapsedMicros: number;
  readonly cpuMicros: number;
}

async function timed(name: string, batchesCount: number, stage: () => void | Promise<void>): Promise<Times> {
  const cpu = process.cpuUsage();
  const start = performance.now();
  await stage();
  const elapsedMicros = ((performance.now() - start) * 1000) / batchesCount;
  const { user, system } = process.cpuUsage(cpu);
  return { name, elapsedMicros, cpuMicros: (user + system) / batchesCount };
}

class Stages {
  readonly #sizes: Sizes;
  readonly #payload: Uint8Array;
  readonly #memory: WebAssembly.Memory;
  readonly #bytes: Uint8Array;
  readonly #kernel: WasmBatchKernel;
  readonly #placeBytes: number;
  readonly #headBytes: number;

  constructor(sizes: Sizes) {
    this.#sizes = sizes;
    this.#payload = payloadOf(sizes);
    this.#placeBytes = Math.ceil(this.#payload.byteLength / 4096) * 4096;
    const pages = Math.ceil((kernelReservedBytes + places * this.#placeBytes) / 65_536);
    this.#memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
    this.#bytes = new Uint8Array(this.#memory.buffer);
    this.#kernel = WasmBatchKernel.create(this.#memory, crypto.getRandomValues(new Uint8Array(32)));
    this.#headBytes = 4 + new DataView(this.#payload.buffer).getUint32(0, true);
  }

  get messagesSizeBytes(): number {
    return this.#payload.byteLength - this.#headBytes - this.#sizes.messagesCount * indexRowBytes;
  }

  async run(): Promise<Times[]> {
    const { batchesCount } = this.#sizes;
    const { messagesCount } = this.#sizes;
    const size = this.messagesSizeBytes;
    const kernel = this.#kernel;
    const times: Times[] = [await this.#receive()];
    const each = async (name: string, stage: (rows: number, messages: number) => void) => {
      const repeat = (rounds: number) => {
        for (let round = 0; round < rounds; round++) {
          const rows = this.#position(round) + this.#headBytes;
          stage(rows, rows + messagesCount * indexRowBytes);
        }
      };
      this.#renew();
      repeat(warmUpBatches); // the kernel is compiled anew while it runs first: that is not what is asked for
      this.#renew();
      times.push(await timed(name, batchesCount, () => repeat(batchesCount)));
    };
    await each("validate", (rows, messages) => {
      if (kernel.validate(rows, messagesCount, messages, size) !== 0) throw new Error("the batch is valid");
    });
    await each("stamp", (rows, messages) => {
      kernel.stamp(rows, messagesCount, messages, size, 0, 0, 0, timestampMicros);
    });
    times.push(await this.#write(), await this.#reply());
    return times;
  }

  #position(round: number): number {
    return kernelReservedBytes + (round % places) * this.#placeBytes;
  }

  #renew(): void {
    for (let place = 0; place < places; place++) this.#bytes.set(this.#payload, this.#position(place));
  }

  /** As `transport/tcp` does: the runtime's chunk is copied, then the rest is taken straight from the socket. */
  #receive(): Promise<Times> {
    const { batchesCount } = this.#sizes;
    const total = batchesCount * this.#payload.byteLength;
    return this.#withPeer("receive", batchesCount, (socket, chunk, state) => {
      if (chunk !== undefined) this.#bytes.set(chunk.subarray(0, this.#placeBytes), this.#position(state.batch));
      state.received += chunk?.byteLength ?? 0;
      const fd = descriptorOf(socket);
      for (let retries = 0; native !== undefined && retries < 60 && state.received < total; ) {
        const address = state.address + this.#position(++state.batch);
        const count = native.recv(fd, address, this.#placeBytes, MessageFlag.dontWait);
        if (count > 0) state.received += count;
        retries = count > 0 ? 0 : retries + 1;
      }
      return state.received >= total;
    });
  }

  #reply(): Promise<Times> {
    const { batchesCount } = this.#sizes;
    const reply = new Uint8Array(replyBytes);
    return this.#withPeer("reply", batchesCount, (socket, chunk) => {
      if (chunk !== undefined) return false;
      for (let round = 0; round < batchesCount; round++) socket.write(reply);
      return true;
    });
  }

  /** A stage that needs a client, which is a process of its own. `step` gets each chunk, at first none; true: it is done. */
  async #withPeer(
    name: string,
    batchesCount: number,
    step: (socket: Socket, chunk: Uint8Array | undefined, state: PeerState) => boolean,
  ): Promise<Times> {
    const done = Promise.withResolvers<void>();
    const { ptr } = await import("bun:ffi");
    const state: PeerState = { batch: 0, received: 0, address: ptr(this.#bytes) };
    const take = (socket: Socket, chunk?: Uint8Array) => {
      if (step(socket, chunk, state)) done.resolve();
    };
    const listener = Bun.listen({
      ...{ hostname: "127.0.0.1", port: 0 },
      socket: { open: (socket) => take(socket), data: take, error: (_, error) => done.reject(error) },
    });
    const { messagesCount, payloadBytes } = this.#sizes;
    const sent = name === "receive" ? batchesCount : 1;
    const sizes = ["--messages", messagesCount, "--bytes", payloadBytes, "--batches", sent].map(String);
    const command = [process.execPath, import.meta.path, "--send-to", String(listener.port), ...sizes];
    const peer = Bun.spawn(command, { stdout: "ignore", stderr: "inherit" });
    try {
      return await timed(name, batchesCount, () => done.promise);
    } finally {
      listener.stop(true);
      await peer.exited;
    }
  }

  async #write(): Promise<Times> {
    const directory = mkdtempSync(join(tmpdir(), "whippet-stages-"));
    const { batchesCount, messagesCount } = this.#sizes;
    const size = this.messagesSizeBytes;
    try {
      const file = realDisk.open(join(directory, "log"), "create");
      // One segment of a gigabyte at most, written over when it is full.
      const perFile = Math.max(1, Math.floor(2 ** 30 / size));
      file.reserve(0, Math.min(batchesCount, perFile) * size);
      return await timed("write", batchesCount, () => {
        for (let round = 0; round < batchesCount; round++) {
          const messages = this.#position(round) + this.#headBytes + messagesCount * indexRowBytes;
          file.write([this.#bytes.subarray(messages, messages + size)], (round % perFile) * size);
        }
      });
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  }
}

interface PeerState {
  batch: number;
  received: number;
  /** Native address of the memory. */
  readonly address: number;
}

if (values.help) {
  console.log(usage);
} else if (values["send-to"] !== undefined) {
  await sendAll(Number(values["send-to"]), sizesOf());
} else {
  const sizes = sizesOf();
  const stages = new Stages(sizes);
  console.log("stage      MB/s   CPU ns/message");
  for (const { name, elapsedMicros, cpuMicros } of await stages.run()) {
    const rate = (stages.messagesSizeBytes / elapsedMicros).toFixed(0);
    const cpu = ((cpuMicros * 1000) / sizes.messagesCount).toFixed(1);
    console.log(`${name.padEnd(8)} ${rate.padStart(6)} ${cpu.padStart(16)}`);
  }
}
