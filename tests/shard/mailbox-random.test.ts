// Mailboxes of two and three shards under random requests of every kind and size, whose handlers wait for other shards as
// those of the server do: a commit waits for a change of the metadata, and that for every shard to apply it. Messages arrive
// and the disk answers in any order that there can be. Everything must end, and the bounds hold all the time.
import { expect, test } from "bun:test";
import { type Random, seededRandom } from "../../src/platform/random.ts";
import { Mailbox, mailboxBytesMax, type Port, type ShardHandlers } from "../../src/shard/mailbox.ts";
import type { ShardMessage, ShardRequestKind } from "../../src/shard/messages.ts";
import { sampleReplies, sampleRequests } from "./samples.ts";

const kinds = Object.keys(sampleRequests) as ShardRequestKind[];
const sizesBytes = [1, 1000, mailboxBytesMax / 3, mailboxBytesMax - 1, mailboxBytesMax, mailboxBytesMax * 4];
const seeds = 1000;
const requestsPerSeed = 60;

/** One end of a channel: messages arrive in order, when the test says so. */
class End implements Port {
  readonly outgoing: ShardMessage[] = [];
  /** Sizes of the batches that were sent and not answered, by request. */
  readonly batches = new Map<number, number>();
  #listener: ((event: { readonly data: unknown }) => void) | undefined;

  postMessage(message: ShardMessage): void {
    if (message.kind === "request" && message.name === "append") {
      const { messagesSizeBytes } = message.body as typeof sampleRequests.append;
      this.batches.set(message.requestId, messagesSizeBytes);
      const sizeBytes = [...this.batches.values()].reduce((sum, each) => sum + each, 0);
      if (this.batches.size > 1) expect(sizeBytes).toBeLessThanOrEqual(mailboxBytesMax);
    }
    this.outgoing.push(message);
  }

  addEventListener(_type: "message", listener: (event: { readonly data: unknown }) => void): void {
    this.#listener = listener;
  }

  start(): void {}

  receive(message: ShardMessage): void {
    if (message.kind === "reply") this.batches.delete(message.requestId);
    this.#listener?.({ data: message });
  }
}

interface Wire {
  readonly from: End;
  readonly to: End;
}

class World {
  readonly #random: Random;
  readonly #mailboxes: (Mailbox | undefined)[][];
  readonly #wires: Wire[] = [];
  /** Whoever waits for a disk. */
  readonly #disk: (() => void)[] = [];
  readonly unfinished: ShardRequestKind[] = [];

  constructor(random: Random, shardCount: number) {
    this.#random = random;
    this.#mailboxes = Array.from({ length: shardCount }, () => new Array<Mailbox | undefined>(shardCount));
    for (let first = 0; first < shardCount; first++) {
      for (let second = first + 1; second < shardCount; second++) {
        const ends = [new End(), new End()] as const;
        this.#wires.push({ from: ends[0], to: ends[1] }, { from: ends[1], to: ends[0] });
        this.#mailboxes[first]![second] = this.#makeMailbox(first, ends[0]);
        this.#mailboxes[second]![first] = this.#makeMailbox(second, ends[1]);
      }
    }
  }

  #below(end: number): number {
    return this.#random.u32() % end;
  }

  #makeMailbox(own: number, port: Port): Mailbox {
    const disk = () => new Promise<void>((done) => this.#disk.push(done));
    const after = async <Reply>(reply: Reply, ...steps: (() => unknown)[]): Promise<Reply> => {
      for (const step of steps) await step();
      return reply;
    };
    const maybe = (step: () => unknown) => () => (this.#below(2) === 0 ? step() : undefined);
    const change = maybe(() => this.#change(own));
    const handlers: ShardHandlers = {
      append: () => after(sampleReplies.append, disk),
      read: () => after(sampleReplies.read, maybe(disk), change),
      offset: () => after(sampleReplies.offset, change),
      oldestSegment: () => sampleReplies.oldestSegment,
      deleteSegments: () => after(sampleReplies.deleteSegments, disk),
      flush: () => after(sampleReplies.flush, disk),
      control: () => after(sampleReplies.control, maybe(disk), () => this.#applyEverywhere(own)),
      apply: () => after(sampleReplies.apply, maybe(disk)),
      syncMetadata: () => after(sampleReplies.syncMetadata, maybe(disk)),
      backup: () => after(sampleReplies.backup, maybe(disk)),
      link: () => after(sampleReplies.link, maybe(disk)),
      clients: () => sampleReplies.clients,
      disconnectClient: () => false,
      makeRoom: () => false,
      statistics: () => sampleReplies.statistics,
      report: () => sampleReplies.report,
    };
    const unexpected = (thrown: unknown) => {
      throw thrown;
    };
    return new Mailbox(port, {
      handlers,
      onRelease: unexpected,
      onAdopt: unexpected,
      onWatch: unexpected,
      onFailure: unexpected,
    });
  }

  /** A command that changes metadata, wherever it is asked. */
  #change(from: number): Promise<unknown> {
    if (from === 0) return this.#applyEverywhere(0);
    return this.#mailboxes[from]![0]!.call("control", sampleRequests.control);
  }

  #applyEverywhere(from: number): Promise<unknown> {
    const others = this.#mailboxes[from]!.filter((mailbox) => mailbox !== undefined);
    return Promise.all(others.map((mailbox) => mailbox.call("apply", sampleRequests.apply)));
  }

  /** One request of any kind between any two shards. */
  request(): void {
    const from = this.#below(this.#mailboxes.length);
    const kind = kinds[this.#below(kinds.length)]!;
    // Only shard 0 changes metadata and has their log.
    const to =
      kind === "control" || kind === "syncMetadata" || kind === "backup" ? 0 : this.#below(this.#mailboxes.length);
    if (from === to || (kind === "apply" && from !== 0)) return;
    const sizeBytes = kind === "append" ? sizesBytes[this.#below(sizesBytes.length)]! : 0;
    const body = kind === "append" ? { ...sampleRequests.append, messagesSizeBytes: sizeBytes } : sampleRequests[kind];
    this.unfinished.push(kind);
    void this.#mailboxes[from]![to]!.call(kind, body, sizeBytes).then(() => {
      this.unfinished.splice(this.unfinished.indexOf(kind), 1);
    });
  }

  /** One message arrives, or the disk answers once; false: nothing is under way. */
  step(): boolean {
    const wires = this.#wires.filter(({ from }) => from.outgoing.length > 0);
    const choicesCount = wires.length + (this.#disk.length > 0 ? 1 : 0);
    if (choicesCount === 0) return false;
    const wire = wires[this.#below(choicesCount)];
    if (wire !== undefined) wire.to.receive(wire.from.outgoing.shift()!);
    else this.#disk.splice(this.#below(this.#disk.length), 1)[0]!();
    return true;
  }
}

const nextTurn = () => new Promise<void>((resolve) => setImmediate(resolve));

test.each([2, 3])("between %d shards everything ends, whatever waits for whatever", async (shardCount) => {
  for (let seed = 0; seed < seeds; seed++) {
    const random = seededRandom(seed);
    const world = new World(random, shardCount);
    for (let left = requestsPerSeed; left > 0; left--) {
      world.request();
      if (random.u32() % 2 === 0) world.step();
      await undefined;
    }
    do await nextTurn();
    while (world.step());
    expect({ seed, unfinished: world.unfinished }).toEqual({ seed, unfinished: [] });
  }
});
