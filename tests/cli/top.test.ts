// `whippet top`: rates between samples, its screens, its keys, its lines in a pipe, and the terminal that it gives back.

import { afterAll, afterEach, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { stripVTControlCharacters } from "node:util";
import { stylesOf } from "../../src/cli/output/styles.ts";
import { changesOf } from "../../src/cli/top/changes.ts";
import type { GroupSample, Sample, TopicSample } from "../../src/cli/top/sample.ts";
import { screenLines, sparkline } from "../../src/cli/top/screen.ts";
import type { Client } from "../../src/client/index.bun.ts";
import { type InProcessBroker, startBroker } from "../../src/embedded/index.ts";
import { nameId } from "../../src/protocol/identifier.ts";
import { endTerminals, Terminal } from "./terminal.ts";
import { Whippet } from "./whippet.ts";

setDefaultTimeout(60_000);

let broker: InProcessBroker;
let whippet: Whippet;
/** Is a member of the group, as who stores its offsets has to be. */
let member: Client;

beforeAll(async () => {
  broker = await startBroker();
  whippet = new Whippet(broker.url());
  member = await broker.client();
  await member.createUser({ username: "ann", password: "secret" });
  await member.createStream("orders");
  await member.createTopic("orders", { name: "created", partitionsCount: 2 });
  await member.createTopic("orders", { name: "refused", partitionsCount: 1 });
  await member.createConsumerGroup("orders", "created", "billing");
  await member.joinConsumerGroup("orders", "created", "billing");
  await send(5);
});
afterAll(() => broker[Symbol.asyncDispose]());
afterEach(endTerminals);

async function send(count: number): Promise<void> {
  const messages = Array.from({ length: count }, () => ({ payload: new Uint8Array(10) }));
  const partitioning = { kind: "partition", partitionId: 0 } as const;
  await (await broker.client()).sendMessages({ stream: "orders", topic: "created", partitioning, messages });
}

function group(name: string, committed: bigint | undefined, head: bigint): GroupSample {
  const lag = committed === undefined ? head + 1n : head - committed;
  return { id: 0, name, membersCount: 1, partitions: [{ id: 0, committed, head, lag }] };
}

function topic(id: number, name: string, written: bigint, groups: readonly GroupSample[] = []): TopicSample {
  const sizeBytes = written * 100n;
  return { streamId: 0, streamName: "orders", id, name, sizeBytes, messagesCount: written, written, groups };
}

function sample(takenAtMs: number, topics: readonly TopicSample[], rest: Partial<Sample> = {}): Sample {
  return { takenAtMicros: 0n, takenAtMs, stats: undefined, topics, clients: [], leftOut: [], ...rest };
}

describe("rates", () => {
  test("are what was written and committed, by the seconds between", () => {
    const before = sample(1_000, [topic(0, "created", 100n, [group("billing", undefined, 99n)])]);
    const now = sample(3_000, [topic(0, "created", 300n, [group("billing", 89n, 299n)])]);
    const changes = changesOf(before, now);
    expect(changes).toMatchObject({ inPerSecond: 100, inBytesPerSecond: 10_000, outPerSecond: 45, lag: 210n });
    expect(changes.topics[0]!.worst).toMatchObject({ name: "billing", lag: 210n, outPerSecond: 45 });
  });

  test("are zero for what is new, and for what has become less", () => {
    const before = sample(0, [topic(0, "created", 100n, [group("billing", 50n, 99n)])]);
    const now = sample(2_000, [topic(0, "created", 10n, [group("billing", undefined, 9n)]), topic(1, "new", 50n)]);
    expect(changesOf(before, now)).toMatchObject({ inPerSecond: 0, inBytesPerSecond: 0, outPerSecond: 0 });
  });
});

describe("a screen", () => {
  const changes = changesOf(
    sample(0, [topic(0, "created", 0n), topic(1, "failed", 0n)]),
    sample(
      1_000,
      [
        topic(0, "created", 20n, [group("billing", 9n, 19n), group("archive", undefined, 19n)]),
        topic(1, "failed", 90n),
      ],
      {
        clients: [
          { clientId: 1, user: "ann", address: "10.0.0.7:1", transport: "tcp", groups: ["billing in orders/created"] },
        ],
        leftOut: ["stats"],
      },
    ),
  );
  const facts = { address: "broker:8090", changes, history: { in: [0, 7], out: [0, 0] } };
  const state = { view: "topics", sort: 0, filter: "", isPaused: false, isTyping: false } as const;
  const lines = (choices = {}, size = { columns: 120, rows: 24 }) =>
    screenLines(facts, { ...state, ...choices }, size, stylesOf(false));

  test("has topics, the busiest first, and the clients beside them", () => {
    const [server, traffic, leftOut, head, first, second] = lines();
    expect(server).toStartWith("broker:8090");
    expect(traffic).toBe("in 110 msg/s 11.00 KB/s ▁█   out 0 msg/s ▁▁   clients 1   lag 30");
    expect(leftOut).toBe("left out, for want of a right: stats");
    expect(head).toMatch(/^TOPIC +IN\/s▾ +OUT\/s +SIZE +GROUPS +WORST LAG +CLIENT/);
    expect(first).toMatch(/^orders\/failed +90 .* – {4}10\.0\.0\.7:1 +ann +tcp +billing in orders\/created$/);
    expect(second).toMatch(/^orders\/created +20 +0 +2\.00 KB +2 +20 archive$/);
  });

  test("has groups with each of their partitions, the one furthest behind first", () => {
    expect(
      lines({ view: "groups" })
        .slice(3, -1)
        .map((line) => line.replace(/ +/g, " ").trim()),
    ).toEqual([
      "GROUP TOPIC MEMBERS OUT/s PARTITION COMMITTED HEAD LAG▾",
      "archive orders/created 1 0 20",
      "0 – 19 20",
      "billing orders/created 1 0 10",
      "0 9 19 10",
    ]);
  });

  test("is sorted and filtered as was chosen", () => {
    const places = (choices: object) =>
      lines(choices)
        .slice(4, -1)
        .map((line) => line.split(" ")[0]);
    expect(places({ sort: 4 })).toEqual(["orders/created", "orders/failed"]);
    expect(places({ filter: "FAIL" })).toEqual(["orders/failed"]);
    expect(places({ view: "clients", filter: "billing" })).toEqual(["10.0.0.7:1"]);
    expect(places({ view: "clients", filter: "nobody" })).toEqual([]);
  });

  test.each([
    [20, 4],
    [40, 6],
    [79, 7],
    [200, 50],
  ])("of %i × %i is never left", (columns, rows) => {
    for (const view of ["topics", "groups", "clients"]) {
      const shown = lines({ view }, { columns, rows });
      expect(Math.max(...shown.map((line) => Bun.stringWidth(line)))).toBeLessThanOrEqual(columns);
      expect(shown.length).toBeLessThanOrEqual(Math.max(rows, 5));
    }
  });

  test("has small charts", () => expect(sparkline([0, 1, 2, 4])).toBe("▁▃▅█"));
});

describe("in a pipe", () => {
  test("there is an object for each interval, whose rates add up to what was sent and committed", async () => {
    const abort = new AbortController();
    const seen = { sent: 0, read: 0, objects: 0 };
    const ran = await whippet.line("top -d 0.1", {
      signal: abort.signal,
      onWrite: (text) => {
        const object = JSON.parse(text);
        seen.sent += object.in_messages_per_second * object.seconds;
        seen.read += object.out_messages_per_second * object.seconds;
        if (++seen.objects === 1) {
          const consumer = { kind: "group", id: nameId("billing") } as const;
          const place = { stream: "orders", topic: "created", partitionId: 0 };
          void send(200).then(() => member.storeConsumerOffset({ ...place, consumer, offset: 99n }));
        }
        if (seen.read > 0 && seen.sent > 0) abort.abort();
      },
    });
    expect(ran).toMatchObject({ exitCode: 130, stderr: "" });
    expect(Math.round(seen.sent / 10)).toBe(20);
    expect(Math.round(seen.read / 10)).toBe(10);
    const { topics, clients, server, left_out } = JSON.parse(ran.stdout.trim().split("\n").at(-1)!);
    expect(topics[0]).toMatchObject({ stream: "orders", topic: "created", messages_count: 205 });
    expect(topics[0].groups).toEqual([
      {
        name: "billing",
        members_count: 1,
        out_messages_per_second: expect.any(Number),
        lag: 105,
        partitions: [
          { partition: 0, committed: 99, head: 204, lag: 105 },
          { partition: 1, committed: null, head: null, lag: 0 },
        ],
      },
    ]);
    expect(clients.some(({ groups }: { groups: string[] }) => groups.includes("billing in orders/created"))).toBe(true);
    expect([server.messages_count, left_out]).toEqual([205, []]);
  });

  test("--once is one object, and what the rights do not allow is named", async () => {
    const { exitCode, stdout, stderr } = await whippet.line("-u ann -p secret top --once -d 0.1");
    expect([exitCode, stderr]).toEqual([0, ""]);
    const object = JSON.parse(stdout);
    expect(object).toMatchObject({ server: null, topics: [], clients: [] });
    expect(object.left_out.toSorted()).toEqual(["clients", "stats", "streams"]);
  });

  test("an interval that is none is refused", async () => {
    expect(await whippet.line("top -d 0")).toEqual({
      exitCode: 2,
      stdout: "",
      stderr: 'whippet: --delay "0" is not a number of seconds from 0.1 to 3600\n',
    });
  });
});

describe("in a terminal", () => {
  test("keys change what is seen, and q ends", async () => {
    let seen = "";
    const { promise: changed, resolve } = Promise.withResolvers<void>();
    let wake = resolve;
    let arrived = changed;
    const until = async (text: string) => {
      while (!seen.includes(text)) {
        await arrived;
        ({ promise: arrived, resolve: wake } = Promise.withResolvers<void>());
      }
      seen = "";
    };
    async function* keys() {
      await until("WORST LAG");
      yield "g";
      await until("COMMITTED");
      yield "c";
      await until("TRANSPORT");
      yield "t/";
      await until("filter: ▏");
      yield "refu";
      await until("filter: refu▏");
      yield "\r";
      await until('/ filter "refu"');
      yield " ";
      await until("PAUSED");
      yield "q";
    }
    const { exitCode, stdout } = await whippet.line("top -d 0.1", {
      isTerminal: true,
      stdin: keys(),
      onWrite: (text) => {
        seen += stripVTControlCharacters(text);
        wake();
      },
    });
    expect(exitCode).toBe(0);
    expect(stdout).toStartWith("\u001b[?1049h\u001b[?25l");
    expect(stdout).toEndWith("\u001b[?25h\u001b[?1049l");
  });

  test("Ctrl-C gives the terminal back as it was", async () => {
    const script = "whippet top; code=$?; stty -a | grep -o ' -\\?\\(echo\\|icanon\\) '; (exit $code)";
    const terminal = new Terminal(broker.url(), script);
    await terminal.until("orders/created");
    terminal.type("\u0003");
    await terminal.until("ended with 130");
    expect(terminal.raw.split("\u001b[?1049h")).toHaveLength(2);
    const after = terminal.raw.split("\u001b[?25h\u001b[?1049l").at(-1)!;
    expect(after.match(/\S*(echo|icanon)/g)?.toSorted()).toEqual(["echo", "icanon"]);
  });
});
