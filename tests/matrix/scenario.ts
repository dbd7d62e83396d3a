// One contract, one test body: what every transport does the same way, on any number of shards, from source or compiled.
import { expect } from "bun:test";
import { nameId } from "../../src/protocol/identifier.ts";
import type { PolledMessage } from "../../src/protocol/message/poll-messages.ts";
import type { PollingStrategy } from "../../src/protocol/polling-strategy.ts";
import { eventually } from "../support/process-facts.ts";
import { differences, messages, messagesCount, numberOf, type SentMessage } from "./content.ts";
import type { Place, Refusal, Session } from "./session.ts";

const root = { username: "iggy", password: "iggy" };
const topic = "eu";
/** Takes what is sent without the choice of a partition. */
const spreadTopic = "spread";
/** Takes the batch whose sender goes away. */
const abandonedTopic = "abandoned";
const partitionsCount = 3;
const batchCount = 250;
/** Of the messages; the rest goes to `spreadTopic`. */
const placedCount = 9_000;
const abandoned = messages.slice(0, batchCount);
const pollCount = 1_000;

const consumer = { kind: "consumer", id: nameId("reader") } as const;

/** The documented code, and the status and the code with which HTTP sends it (spec BP 5, HA 3). */
async function refused(
  place: Place,
  session: Session,
  request: Promise<unknown>,
  code: number,
  status: number,
  codeOverHttp = code,
): Promise<void> {
  const answer = await request.then(
    () => "nothing",
    (error: unknown) => place.refusalOf(error),
  );
  // The check of the bearer token answers without a body (spec HA 3.1).
  const overHttp: Refusal = { code: status === 401 ? undefined : codeOverHttp, status };
  expect(answer).toEqual(session.connection === undefined ? overHttp : { code });
}

/** What each partition of `topic` has to hold. */
const sentTo: readonly SentMessage[][] = Array.from({ length: partitionsCount }, () => []);
const placed = Array.from({ length: placedCount / batchCount }, (_, batch) => ({
  partitionId: batch % partitionsCount,
  messages: messages.slice(batch * batchCount, (batch + 1) * batchCount),
}));
for (const batch of placed) sentTo[batch.partitionId]?.push(...batch.messages);

export class Scenario {
  readonly #place: Place;
  readonly #stream: string;
  #session: Session;

  private constructor(place: Place, session: Session) {
    this.#place = place;
    this.#stream = `stream of ${place.name}`;
    this.#session = session;
  }

  static async play(place: Place): Promise<void> {
    const anonymous = await place.open();
    await refused(place, anonymous, place.open({ username: "iggy", password: "wrong" }), 42, 400);
    await refused(place, anonymous, anonymous.getStreams(), 40, 401);
    anonymous.close();
    const scenario = new Scenario(place, await place.open(root));
    await scenario.#create();
    await scenario.#send();
    await scenario.#pollByEveryStrategy();
    await scenario.#offsets();
    await scenario.#errors();
    await scenario.#groups();
    await scenario.#limitedUser();
    await scenario.#token();
    await scenario.#remove();
  }

  async #create(): Promise<void> {
    const session = this.#session;
    const stream = this.#stream;
    const id = await session.createStream(stream);
    await session.createTopic(stream, topic, partitionsCount);
    await session.createTopic(stream, spreadTopic, 2);
    await session.createTopic(stream, abandonedTopic, 1);
    expect(id).toBeGreaterThanOrEqual(0);
    expect(await session.getTopics(stream)).toEqual([
      { name: topic, partitionsCount, messagesCount: 0 },
      { name: spreadTopic, partitionsCount: 2, messagesCount: 0 },
      { name: abandonedTopic, partitionsCount: 1, messagesCount: 0 },
    ]);
  }

  /** In the middle the client goes away, with a poll and a send under way, and comes again. */
  async #send(): Promise<void> {
    const target = { stream: this.#stream, topic };
    for (const [index, { partitionId, messages }] of placed.entries()) {
      if (index === placed.length / 2) await this.#disconnect();
      await this.#session.send({ ...target, partitioning: { kind: "partition", partitionId }, messages });
    }
    const key = new TextEncoder().encode("order-42");
    for (let start = placedCount; start < messagesCount; start += batchCount) {
      const partitioning = start % 500 === 0 ? ({ kind: "key", key } as const) : ({ kind: "balanced" } as const);
      const batch = messages.slice(start, start + batchCount);
      await this.#session.send({ stream: this.#stream, topic: spreadTopic, partitioning, messages: batch });
    }
    expect(await this.#session.getTopic(this.#stream, topic)).toMatchObject({ messagesCount: placedCount });
    expect(await this.#session.getTopic(this.#stream, spreadTopic)).toMatchObject({
      messagesCount: messagesCount - placedCount,
    });
  }

  async #disconnect(): Promise<void> {
    const stream = this.#stream;
    const me = await this.#session.connection?.me();
    const from = { consumer, partitionId: 0, strategy: { kind: "first", value: 0n }, count: pollCount } as const;
    const partitioning = { kind: "partition", partitionId: 0 } as const;
    await this.#session.abandon(
      { ...from, stream, topic },
      { stream, topic: abandonedTopic, partitioning, messages: abandoned },
    );
    this.#session = await this.#place.open(root);
    const { connection } = this.#session;
    if (me === undefined || connection === undefined) return;
    await eventually(
      "the end of the client that went away",
      () => connection.clientIds(),
      (clientIds) => !clientIds.includes(me.clientId),
    );
    expect(await connection.clientIds()).toContain((await connection.me()).clientId);
  }

  async #poll(strategy: PollingStrategy, count: number, options: Partial<{ topic: string; partitionId: number }> = {}) {
    const place = { stream: this.#stream, topic, partitionId: 0, ...options };
    return this.#session.poll({ ...place, consumer, strategy, count });
  }

  async #pollByEveryStrategy(): Promise<void> {
    for (const [partitionId, sent] of sentTo.entries()) {
      const all = await this.#poll({ kind: "offset", value: 0n }, sent.length + 1, { partitionId });
      expect(all).toMatchObject({ partitionId, currentOffset: BigInt(sent.length - 1) });
      expect(differences(all.messages, sent, 0)).toEqual([]);
      const expectPart = async (strategy: PollingStrategy, count: number, start: number) => {
        const { messages } = await this.#poll(strategy, count, { partitionId });
        expect(differences(messages, sent.slice(start, start + count), start)).toEqual([]);
      };
      await expectPart({ kind: "offset", value: 1_234n }, 500, 1_234);
      await expectPart({ kind: "offset", value: BigInt(sent.length) }, 5, sent.length);
      await expectPart({ kind: "first", value: 0n }, 77, 0);
      await expectPart({ kind: "last", value: 0n }, 77, sent.length - 77);
      const { timestampMicros } = all.messages[1_700]!;
      const start = all.messages.findIndex((message) => message.timestampMicros >= timestampMicros);
      expect(start).toBeGreaterThan(0);
      await expectPart({ kind: "timestamp", value: timestampMicros }, 600, start);
      await expectPart({ kind: "timestamp", value: all.messages.at(-1)!.timestampMicros + 1n }, 600, sent.length);
      await this.#pollNext(partitionId, sent);
    }
    await this.#pollUnplaced();
  }

  /** Until there is no more. Each poll stores how far it came. */
  async #pollNext(partitionId: number, sent: readonly SentMessage[]): Promise<void> {
    const place = { stream: this.#stream, topic, consumer, partitionId };
    const polled: PolledMessage[] = [];
    for (;;) {
      const next = { strategy: { kind: "next", value: 0n }, count: pollCount, autoCommit: true } as const;
      const { messages } = await this.#session.poll({ ...place, ...next });
      if (messages.length === 0) break;
      polled.push(...messages);
    }
    expect(differences(polled, sent, 0)).toEqual([]);
    const last = BigInt(sent.length - 1);
    expect(await this.#session.getOffset(place)).toEqual({ partitionId, currentOffset: last, storedOffset: last });
  }

  /** What the server placed: everything once, each batch whole and in order, one key in one partition. */
  async #pollUnplaced(): Promise<void> {
    const sent = messages.slice(placedCount);
    const partitions = await Promise.all(
      [0, 1].map((partitionId) => this.#poll({ kind: "first", value: 0n }, 2_000, { topic: spreadTopic, partitionId })),
    );
    const keyed = new Set<number>();
    for (const { partitionId, messages: polled } of partitions) {
      const numbers = polled.map(({ id }) => numberOf(id));
      expect(
        differences(
          polled,
          numbers.map((number) => messages[number]!),
          0,
        ),
      ).toEqual([]);
      expect(numbers.every((number, index) => number % batchCount === index % batchCount)).toBe(true);
      if (numbers.some((number) => number % 500 < batchCount)) keyed.add(partitionId);
    }
    const all = partitions.flatMap(({ messages: polled }) => polled.map(({ id }) => id));
    expect(all.toSorted()).toEqual(sent.map(({ id }) => id));
    expect(keyed.size).toBe(1);
    // Sent by a client that went away: all of it or nothing.
    const { messages: left } = await this.#poll({ kind: "first", value: 0n }, 2_000, { topic: abandonedTopic });
    expect(differences(left, left.length === 0 ? [] : abandoned, 0)).toEqual([]);
  }

  async #offsets(): Promise<void> {
    const session = this.#session;
    const place = {
      stream: this.#stream,
      topic,
      partitionId: 1,
      consumer: { kind: "consumer", id: nameId("late") },
    } as const;
    const currentOffset = BigInt(sentTo[1]!.length - 1);
    expect(await session.getOffset(place)).toBeUndefined();
    await session.storeOffset({ ...place, offset: 41n });
    expect(await session.getOffset(place)).toEqual({ partitionId: 1, currentOffset, storedOffset: 41n });
    const next = await session.poll({ ...place, strategy: { kind: "next", value: 0n }, count: 3 });
    expect(differences(next.messages, sentTo[1]!.slice(42, 45), 42)).toEqual([]);
    expect((await session.getOffset(place))?.storedOffset).toBe(41n);
    await refused(this.#place, session, session.storeOffset({ ...place, offset: currentOffset + 1n }), 4100, 400);
    await refused(this.#place, session, session.storeOffset({ ...place, partitionId: 9, offset: 0n }), 3007, 404);
    await session.deleteOffset(place);
    expect(await session.getOffset(place)).toBeUndefined();
    await refused(this.#place, session, session.deleteOffset(place), 3021, 404);
  }

  async #errors(): Promise<void> {
    const session = this.#session;
    const stream = this.#stream;
    const is = (code: number, status: number, request: Promise<unknown>, codeOverHttp = code) =>
      refused(this.#place, session, request, code, status, codeOverHttp);
    const batch = { partitioning: { kind: "partition", partitionId: 0 }, messages: messages.slice(0, 1) } as const;
    const poll = { consumer, partitionId: 0, strategy: { kind: "first", value: 0n }, count: 1 } as const;
    expect(await session.getStream("unknown")).toBeUndefined();
    expect(await session.getTopic(stream, "unknown")).toBeUndefined();
    expect(await session.getGroup(stream, topic, "unknown")).toBeUndefined();
    await is(1009, 404, session.deleteStream("unknown"));
    // Over HTTP the general "not found" (spec HA 2.3).
    await is(1009, 404, session.createTopic("unknown", "topic", 1), 404);
    await is(1009, 404, session.send({ stream: "unknown", topic, ...batch }));
    await is(2010, 404, session.send({ stream, topic: "unknown", ...batch }));
    await is(2010, 404, session.poll({ stream, topic: "unknown", ...poll }));
    await is(3007, 404, session.poll({ stream, topic, ...poll, partitionId: 9 }));
    await is(1012, 400, session.createStream(stream));
    await is(2013, 400, session.createTopic(stream, topic, 1));
    await is(2015, 400, session.createTopic(stream, "many", 1_001));
    await is(43, 400, session.createReader("ab", "secret"));
    await is(44, 400, session.createReader("somebody", "ab"));
    await is(50, 400, session.createToken("ab"));
    await is(20, 404, session.deleteUser("nobody"));
    await is(5000, 404, session.deleteGroup(stream, topic, "unknown"));
  }

  async #groups(): Promise<void> {
    const session = this.#session;
    const stream = this.#stream;
    const group = "workers";
    await session.createGroup(stream, topic, group);
    await refused(this.#place, session, session.createGroup(stream, topic, group), 5004, 400);
    expect(await session.getGroups(stream, topic)).toEqual([{ name: group, partitionsCount, membersCount: 0 }]);
    if (session.connection !== undefined) await this.#member(group);
    expect(await session.getGroup(stream, topic, group)).toEqual({ name: group, partitionsCount, membersCount: 0 });
    await session.deleteGroup(stream, topic, group);
    expect(await session.getGroups(stream, topic)).toEqual([]);
  }

  /** The only member of a group gets every message of every partition once. */
  async #member(group: string): Promise<void> {
    const { connection } = this.#session;
    if (connection === undefined) throw new Error("members are connections");
    const stream = this.#stream;
    const poll = () =>
      this.#session.poll({
        stream,
        topic,
        consumer: { kind: "group", id: nameId(group) },
        strategy: { kind: "next", value: 0n },
        count: pollCount,
        autoCommit: true,
      });
    await refused(this.#place, this.#session, poll(), 5006, 404);
    await connection.joinGroup(stream, topic, group);
    expect(await this.#session.getGroup(stream, topic, group)).toMatchObject({ membersCount: 1 });
    const polled = sentTo.map((): PolledMessage[] => []);
    for (let emptyPolls = 0; emptyPolls < partitionsCount; ) {
      const { partitionId, messages } = await poll();
      polled[partitionId]?.push(...messages);
      emptyPolls = messages.length === 0 ? emptyPolls + 1 : 0;
    }
    for (const [partitionId, sent] of sentTo.entries()) expect(differences(polled[partitionId]!, sent, 0)).toEqual([]);
    await connection.leaveGroup(stream, topic, group);
    await refused(this.#place, this.#session, poll(), 5006, 404);
  }

  async #limitedUser(): Promise<void> {
    const username = `reader-${this.#place.name}`;
    const stream = this.#stream;
    await this.#session.createReader(username, "secret");
    expect(await this.#session.getUsernames()).toEqual(expect.arrayContaining(["iggy", username]));
    const reader = await this.#place.open({ username, password: "secret" });
    const is = (request: Promise<unknown>) => refused(this.#place, reader, request, 41, 403);
    expect(await reader.getStream(stream)).toMatchObject({ topicsCount: 3 });
    const poll = { stream, topic, consumer, partitionId: 2, strategy: { kind: "last", value: 0n }, count: 10 } as const;
    expect(differences((await reader.poll(poll)).messages, sentTo[2]!.slice(-10), sentTo[2]!.length - 10)).toEqual([]);
    await is(reader.send({ stream, topic, messages: messages.slice(0, 1) }));
    await is(reader.createStream("of a reader"));
    await is(reader.createTopic(stream, "of a reader", 1));
    await is(reader.deleteStream(stream));
    await is(reader.getUsernames());
    await is(reader.deleteUser(username));
    reader.close();
    await this.#session.deleteUser(username);
    expect(await this.#session.getUsernames()).not.toContain(username);
    const login = this.#place.open({ username, password: "secret" });
    await refused(this.#place, this.#session, login, 42, 400);
  }

  async #token(): Promise<void> {
    const session = this.#session;
    const name = `token-${this.#place.name}`;
    const token = await session.createToken(name);
    expect(token).toMatch(/^[A-Za-z0-9+/]{67}=$/);
    expect(await session.getTokenNames()).toContain(name);
    await refused(this.#place, session, session.createToken(name), 51, 400);
    const byToken = await this.#place.open({ token });
    expect((await byToken.getStreams()).map((stream) => stream.name)).toContain(this.#stream);
    await byToken.logout();
    await refused(this.#place, byToken, byToken.getStreams(), 40, 401);
    byToken.close();
    await session.deleteToken(name);
    expect(await session.getTokenNames()).not.toContain(name);
    await refused(this.#place, session, this.#place.open({ token }), 20, 404);
    // A success: failed logins would slow down the next transport's.
    (await this.#place.open(root)).close();
  }

  async #remove(): Promise<void> {
    const session = this.#session;
    const topics = await session.getTopics(this.#stream);
    const counted = topics.reduce((sum, { messagesCount: count }) => sum + count, 0);
    expect(await session.getStream(this.#stream)).toEqual({
      name: this.#stream,
      topicsCount: 3,
      messagesCount: counted,
    });
    await session.deleteStream(this.#stream);
    expect((await session.getStreams()).map(({ name }) => name)).not.toContain(this.#stream);
    await session.logout();
    await refused(this.#place, session, session.getStreams(), 40, 401);
    session.close();
  }
}
