import { describe, expect, test } from "bun:test";
import { IggyError } from "../../src/protocol/errors.ts";
import {
  Mailbox,
  type MailboxOptions,
  mailboxBytesMax,
  mailboxEntriesMax,
  type Port,
  type ShardHandlers,
} from "../../src/shard/mailbox.ts";
import type { ShardMessage } from "../../src/shard/messages.ts";
import { sampleReplies, sampleRequests } from "./samples.ts";

type Listener = (event: { readonly data: unknown }) => void;

/** One end of a channel whose messages are cloned as a real one does, and delivered when the test says so. */
class TestPort implements Port {
  readonly outgoing: ShardMessage[] = [];
  #listener: Listener = () => {
    throw new Error("nobody listens");
  };

  postMessage(message: ShardMessage): void {
    this.outgoing.push(structuredClone(message));
  }

  addEventListener(_type: "message", listener: Listener): void {
    this.#listener = listener;
  }

  start(): void {}

  deliver(message: ShardMessage): void {
    this.#listener({ data: message });
  }
}

function notExpected(): never {
  throw new Error("not expected here");
}

const noHandlers: ShardHandlers = {
  append: notExpected,
  read: notExpected,
  offset: notExpected,
  oldestSegment: notExpected,
  deleteSegments: notExpected,
  flush: notExpected,
  control: notExpected,
  apply: notExpected,
  syncMetadata: notExpected,
  backup: notExpected,
  link: notExpected,
  clients: notExpected,
  disconnectClient: notExpected,
  makeRoom: notExpected,
  statistics: notExpected,
  report: notExpected,
};

function makePair(options: Partial<MailboxOptions> = {}) {
  const ports = [new TestPort(), new TestPort()] as const;
  const failures: unknown[] = [];
  const common = { handlers: noHandlers, onRelease: notExpected, onAdopt: notExpected, onWatch: notExpected };
  const caller = new Mailbox(ports[0], { ...common, onFailure: notExpected });
  new Mailbox(ports[1], { ...common, onFailure: (thrown) => failures.push(thrown), ...options });
  /** Everything under way, both ways, until nothing is left; promises get their turn in between. */
  const settle = async () => {
    for (;;) {
      await new Promise((resolve) => setImmediate(resolve));
      const there = ports[0].outgoing.splice(0);
      const back = ports[1].outgoing.splice(0);
      if (there.length + back.length === 0) return;
      for (const message of there) ports[1].deliver(message);
      for (const message of back) ports[0].deliver(message);
    }
  };
  return { caller, ports, failures, settle };
}

const flush = { partitionKey: 1, createdAtMicros: 1, fsync: false };

describe("requests and replies", () => {
  test.each(
    Object.keys(sampleRequests) as (keyof typeof sampleRequests)[],
  )("%s goes there and back unchanged", async (name) => {
    const seen: unknown[] = [];
    const handler = (body: unknown) => {
      seen.push(body);
      return sampleReplies[name];
    };
    const { caller, settle } = makePair({ handlers: { ...noHandlers, [name]: handler } });
    const reply = caller.call(name, sampleRequests[name]);
    await settle();
    expect(await reply).toEqual(sampleReplies[name]);
    expect(seen).toEqual([sampleRequests[name]]);
  });

  test("what comes later may be answered first", async () => {
    const gate = Promise.withResolvers<undefined>();
    let count = 0;
    const { caller, settle } = makePair({
      handlers: { ...noHandlers, flush: () => (count++ === 0 ? gate.promise : undefined) },
    });
    const done: string[] = [];
    const slow = caller.call("flush", flush).then(() => done.push("slow"));
    const quick = caller.call("flush", flush).then(() => done.push("quick"));
    await settle();
    expect(done).toEqual(["quick"]);
    gate.resolve(undefined);
    await settle();
    await Promise.all([slow, quick]);
    expect(done).toEqual(["quick", "slow"]);
  });

  test.each([
    [
      "thrown",
      () => {
        throw new IggyError("PartitionNotFound", [1, 2, 3]);
      },
      3007,
    ],
    ["rejected", () => Promise.reject(new IggyError("InvalidOffset", [1])), 4100],
    [
      "a bug",
      () => {
        throw new TypeError("a bug");
      },
      1,
    ],
    ["a bug, later", () => Promise.reject(new TypeError("a bug")), 1],
  ] as const)("a failure comes back as its number and is told to the log: %s", async (_, handler, code) => {
    const { caller, failures, settle } = makePair({ handlers: { ...noHandlers, flush: handler } });
    const failed = caller.call("flush", flush).catch((error: unknown) => error);
    await settle();
    const error = await failed;
    expect(error).toBeInstanceOf(IggyError);
    expect((error as IggyError).code).toBe(code);
    expect(failures).toHaveLength(1);
  });

  test("a reply that cannot be cloned fails its request only", async () => {
    const handler = () => ({ currentOffset: 0, storedOffset: (() => 1) as never });
    const { caller, settle } = makePair({ handlers: { ...noHandlers, offset: handler, flush: () => undefined } });
    const failed = caller.call("offset", sampleRequests.offset).catch((error: unknown) => error);
    const fine = caller.call("flush", flush);
    await settle();
    expect(((await failed) as IggyError).code).toBe(1);
    expect(await fine).toBeUndefined();
  });

  test("releases and moved connections arrive in order and need no reply", async () => {
    const seen: unknown[] = [];
    const { caller, settle, ports } = makePair({
      onRelease: (leaseId) => seen.push(leaseId),
      onAdopt: (connection) => seen.push(connection),
    });
    caller.release(7);
    caller.adopt({ fd: 5, state: { unread: new Uint8Array(3) } });
    caller.release(8);
    await settle();
    expect(seen).toEqual([7, { fd: 5, state: { unread: new Uint8Array(3) } }, 8]);
    expect(ports[1].outgoing).toEqual([]);
  });
});

describe("credits", () => {
  test("bound the requests under way; the rest waits in order and resumes", async () => {
    const order: number[] = [];
    const { caller, ports, settle } = makePair({
      handlers: {
        ...noHandlers,
        flush: ({ partitionKey }) => {
          order.push(partitionKey);
          return undefined;
        },
      },
    });
    const total = mailboxEntriesMax * 2 + 10;
    const calls = Array.from({ length: total }, (_, partitionKey) => caller.call("flush", { ...flush, partitionKey }));
    expect(ports[0].outgoing).toHaveLength(mailboxEntriesMax);
    expect(caller.counters).toEqual({
      sent: mailboxEntriesMax,
      waited: total - mailboxEntriesMax,
      depthMax: mailboxEntriesMax,
    });
    await settle();
    await Promise.all(calls);
    expect(order).toEqual(Array.from({ length: total }, (_, index) => index));
    expect(caller.counters.depthMax).toBe(mailboxEntriesMax);
  });

  test("bound the bytes under way", async () => {
    const { caller, ports, settle } = makePair({ handlers: { ...noHandlers, append: () => undefined } });
    const third = mailboxBytesMax / 3;
    const calls = Array.from({ length: 5 }, () => caller.call("append", sampleRequests.append, third));
    expect(ports[0].outgoing).toHaveLength(3);
    await settle();
    await Promise.all(calls);
    expect(caller.counters.sent).toBe(5);
    expect(caller.counters.waited).toBe(2);
  });

  test("a batch larger than the bound passes alone", async () => {
    const { caller, ports, settle } = makePair({ handlers: { ...noHandlers, append: () => undefined } });
    const large = caller.call("append", sampleRequests.append, mailboxBytesMax * 2);
    const small = caller.call("append", sampleRequests.append, 1);
    expect(ports[0].outgoing).toHaveLength(1);
    await settle();
    await Promise.all([large, small]);
    // And behind others it waits until they are done.
    const first = caller.call("append", sampleRequests.append, 1);
    const second = caller.call("append", sampleRequests.append, mailboxBytesMax * 2);
    expect(ports[0].outgoing).toHaveLength(1);
    await settle();
    await Promise.all([first, second]);
  });

  test("a small request does not overtake a large one that waits", async () => {
    const sizes: number[] = [];
    const { caller, settle } = makePair({
      handlers: {
        ...noHandlers,
        append: ({ messagesSizeBytes }) => {
          sizes.push(messagesSizeBytes);
          return undefined;
        },
      },
    });
    const append = (sizeBytes: number) =>
      caller.call("append", { ...sampleRequests.append, messagesSizeBytes: sizeBytes }, sizeBytes);
    const calls = [append(10), append(mailboxBytesMax), append(1), append(2)];
    await settle();
    await Promise.all(calls);
    expect(sizes).toEqual([10, mailboxBytesMax, 1, 2]);
  });

  test("come back with failures too", async () => {
    const { caller, settle } = makePair({
      handlers: {
        ...noHandlers,
        flush: () => {
          throw new IggyError("PartitionNotFound");
        },
      },
    });
    const calls = Array.from({ length: mailboxEntriesMax + 5 }, () =>
      caller.call("flush", flush).catch(() => "failed"),
    );
    await settle();
    expect(new Set(await Promise.all(calls))).toEqual(new Set(["failed"]));
  });
});
