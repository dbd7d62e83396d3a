// The channel on which the broker looks through a part of a partition for a search.
import { describe, expect, test } from "bun:test";
import { encode } from "../../src/protocol/codec.ts";
import { type LiveReply, type ScanArgs, type ScanTerm, scanBounds } from "../../src/protocol/console/live.ts";
import { decodePolledMessages } from "../../src/protocol/message/poll-messages.ts";
import { headerString, userHeadersCodec } from "../../src/protocol/user-headers.ts";
import { useServers } from "../support/server.ts";
import { ConsoleTestClient } from "./console-test-client.ts";

const servers = useServers();
const server = await servers.start({ shards: 2 });
const root = await server.connect();
const text = (value: string) => new TextEncoder().encode(value);
const messagesCount = 3000;

await root.createStream("orders");
await root.createTopic("orders", { name: "many", partitionsCount: 2 });
for (let start = 0; start < messagesCount; start += 500) {
  const messages = Array.from({ length: 500 }, (_, index) => {
    const number = start + index;
    const value = headerString(number % 1000 === 7 ? "lucky" : "plain");
    return {
      payload: text(`Message ${number} of TEA é`),
      userHeaders: encode(userHeadersCodec, [{ key: headerString("trace"), value }]),
    };
  });
  const partitioning = { kind: "partition", partitionId: 1 } as const;
  await root.sendMessages({ stream: "orders", topic: "many", partitioning, messages });
}

type Answer = { readonly offsets: readonly number[]; readonly reply: LiveReply };

/** A page's side: one look after the other, or all at once. */
class Looks {
  readonly opened: Promise<void>;
  readonly closed: Promise<number>;
  readonly #socket: WebSocket;
  readonly #waiting = new Map<number, (answer: Answer) => void>();
  readonly #offsets = new Map<number, readonly number[]>();
  #lastId = 0;

  constructor(client: ConsoleTestClient) {
    const options: Bun.WebSocketOptions = { headers: { origin: client.origin, cookie: client.cookie } };
    this.#socket = new WebSocket(`${client.origin.replace("http", "ws")}/ui/live`, options);
    this.#socket.binaryType = "arraybuffer";
    const opened = Promise.withResolvers<void>();
    const closed = Promise.withResolvers<number>();
    this.#socket.onopen = () => opened.resolve();
    this.#socket.onclose = ({ code }) => closed.resolve(code);
    this.#socket.onmessage = ({ data }: MessageEvent<string | ArrayBuffer>) => {
      if (typeof data === "string") {
        const reply = JSON.parse(data) as LiveReply;
        this.#waiting.get(reply.id)?.({ offsets: this.#offsets.get(reply.id) ?? [], reply });
        return;
      }
      const { messages } = decodePolledMessages(new Uint8Array(data, 4));
      this.#offsets.set(
        new DataView(data).getUint32(0, true),
        messages.map(({ offset }) => Number(offset)),
      );
    };
    this.opened = opened.promise;
    this.closed = closed.promise;
  }

  look(from: number, to: number, all: readonly ScanTerm[], more: Partial<ScanArgs> = {}): Promise<Answer> {
    const id = ++this.#lastId;
    const args = { stream: "orders", topic: "many", partition: 1, from: String(from), to: String(to), all, ...more };
    this.#socket.send(JSON.stringify({ op: "open", id, channel: "scan", args }));
    return new Promise((resolve) => this.#waiting.set(id, resolve));
  }
}

async function openLooks(body?: object): Promise<Looks> {
  const looks = new Looks(await ConsoleTestClient.signIn(server, body));
  await looks.opened;
  return looks;
}

describe("a look", () => {
  test("gives what has all of the words and headers, and how far it came", async () => {
    const looks = await openLooks();
    const lucky = await looks.look(0, 2999, [{ header: "trace", value: "lucky" }]);
    expect(lucky.offsets).toEqual([7, 1007, 2007]);
    expect(lucky.reply).toMatchObject({ type: "scanned", scanned: 3000, next: "3000" });
    const word = await looks.look(5, 20, [{ text: "message 1" }, { text: "tea" }]);
    expect(word.offsets).toEqual([10, 11, 12, 13, 14, 15, 16, 17, 18, 19]);
    expect(word.reply).toMatchObject({ scanned: 16, next: "21" });
    expect((await looks.look(0, 2999, [{ text: "coffee" }])).offsets).toEqual([]);
    expect((await looks.look(3000, 9000, [{ text: "tea" }])).reply).toMatchObject({ scanned: 0, next: "3000" });
    expect((await looks.look(0, 10, [{ text: "tea" }], { partition: 0 })).reply).toMatchObject({ scanned: 0 });
  });

  test("ends where it has looked at enough, or found enough", async () => {
    await root.createTopic("orders", { name: "large", partitionsCount: 1 });
    const payload = new Uint8Array(1024 * 1024).fill(0x61);
    for (let number = 0; number < 10; number++) {
      await root.sendMessages({ stream: "orders", topic: "large", messages: [{ payload }] });
    }
    const looks = await openLooks();
    const place = { topic: "large", partition: 0 };
    const found = await looks.look(0, 100, [{ text: "aaa" }], place);
    expect([found.offsets, found.reply]).toMatchObject([[0], { scanned: 1, next: "1" }]);
    const none = await looks.look(0, 100, [{ text: "b" }], place);
    expect(none.reply).toMatchObject({ scanned: 8, bytes: scanBounds.bytes, next: "8" });
  });

  test("needs the right to poll, and a request that is one", async () => {
    await root.createUser({ username: "eve", password: "secret" });
    const eve = await openLooks({ username: "eve", password: "secret" });
    expect((await eve.look(0, 1, [{ text: "tea" }])).reply).toMatchObject({ type: "end", error: { code: 41 } });
    const looks = await openLooks();
    expect((await looks.look(0, 1, [{ text: "tea" }], { topic: "none" })).reply).toMatchObject({ type: "end" });
    expect((await looks.look(0, 1, [{ text: "tea" }], { partition: 9 })).reply).toMatchObject({
      error: { code: 3007 },
    });
    void looks.look(0, 1, []);
    expect(await looks.closed).toBe(1008);
  });

  test("is refused while two are under way, whoever asks", async () => {
    const [one, other] = [await openLooks(), await openLooks()];
    const answers = await Promise.all([
      other.look(0, 2999, [{ text: "coffee" }]),
      // Those of one socket arrive together: some of them while two are under way.
      ...Array.from({ length: 7 }, () => one.look(0, 2999, [{ text: "coffee" }])),
    ]);
    const ends = answers.filter(({ reply }) => reply.type === "end");
    expect(ends.length).toBeGreaterThanOrEqual(1);
    expect(answers.length - ends.length).toBeGreaterThanOrEqual(1);
    expect((await one.look(0, 2999, [{ text: "coffee" }])).reply).toMatchObject({ type: "scanned", scanned: 3000 });
  });
});
