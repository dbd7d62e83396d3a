// Whippet beside the brokers that people would take instead, each with its own tool, at the same durability, on one machine in one run:
// one broker is up at a time, and they take turns in several rounds. How each is installed and started: docs/peers.md.

import { availableParallelism } from "node:os";
import { version } from "../../package.json" with { type: "json" };
import { endChildrenWithScript } from "../children.ts";
import { betterHalf, lesserHalf } from "./better-half.ts";
import { type BrokerFigure, type BrokerWork, type Contestant, messageSizeBytes } from "./brokers/contestant.ts";
import { kafkaContestant } from "./brokers/kafka.ts";
import { natsContestant } from "./brokers/nats.ts";
import { redisContestant } from "./brokers/redis.ts";
import { whippetContestant } from "./brokers/whippet.ts";
import { chosenBy, readOptions } from "./options.ts";
import type { Durability } from "./servers/server.ts";
import { figure, publish, type Table } from "./table.ts";

const usage = `Compares Whippet with NATS JetStream, Kafka and Redis Streams.

Usage: npm run peers:brokers -- --cache DIRECTORY [options]
  --cache DIRECTORY  where \`npm run peers:install\` put them
  --whippet PATH     Whippet's executable, instead of this checkout's source
  --rounds N         measured rounds (4)
  --seconds N        about how long a run takes (2)
  --brokers A,B      of whippet, nats, kafka, redis (all)
  --json FILE, --markdown FILE
`;

const options = readOptions(usage, { rounds: "4", seconds: "2" }, { brokers: "whippet,nats,kafka,redis" });
endChildrenWithScript();
const { cache, rounds, seconds, files } = options;

type Row = {
  readonly title: string;
  readonly durability: Durability;
  readonly work: BrokerWork;
  /** Messages of the run that says how many a measured one has. */
  readonly trialMessages: number;
};
const rows: readonly Row[] = [
  { title: "one message a request", durability: "write", work: "one", trialMessages: 2_000 },
  { title: "batches", durability: "write", work: "batch", trialMessages: 50_000 },
  { title: "read", durability: "write", work: "read", trialMessages: 50_000 },
  { title: "sync: one message a request", durability: "sync", work: "one", trialMessages: 500 },
  { title: "sync: batches", durability: "sync", work: "batch", trialMessages: 5_000 },
];
/** Of one run: more, and the system begins to hold writers back to get it to the disk. */
const messagesMax = 3_000_000;

const all: Readonly<Record<string, Contestant>> = {
  whippet: whippetContestant(version, options.whippet, availableParallelism()),
  nats: natsContestant(cache),
  kafka: kafkaContestant(cache),
  redis: redisContestant(cache),
};
const contestants = chosenBy((options.own("brokers") ?? "").split(","), all, "broker");

/** Of every contestant and row, by {@link keyOf}. */
const counts = new Map<string, number>();
const figures = new Map<string, BrokerFigure[]>();
const keyOf = (contestant: Contestant, row: Row) => `${contestant.name}, ${row.title}`;

/** All rows of one contestant, once. */
async function turnOf(contestant: Contestant, found: (row: Row, figure: BrokerFigure) => void): Promise<void> {
  for (const durability of ["write", "sync"] as const) {
    const up = await contestant.start(durability);
    try {
      for (const row of rows.filter((candidate) => candidate.durability === durability)) {
        const key = keyOf(contestant, row);
        const result = await up.measure(row.work, counts.get(key) ?? row.trialMessages);
        console.error(`${key.padEnd(45)} ${JSON.stringify(result)}`);
        found(row, result);
      }
    } finally {
      await up.stop();
    }
  }
}

/** What a run of the next round sends, so that it takes about the time that is wanted: a runtime that has just begun is slow at first. */
function adjust(contestant: Contestant, row: Row, { messagesPerSecond }: BrokerFigure): void {
  const most = Math.min(messagesMax, contestant.messagesMax ?? messagesMax);
  const messages = Math.min(most, Math.max(row.trialMessages / 4, messagesPerSecond * seconds));
  counts.set(keyOf(contestant, row), Math.round(messages));
}

for (const contestant of contestants) await turnOf(contestant, (row, result) => adjust(contestant, row, result));
for (let round = 0; round < rounds; round++)
  for (const contestant of round % 2 === 0 ? contestants : contestants.toReversed())
    await turnOf(contestant, (row, result) => {
      const key = keyOf(contestant, row);
      figures.set(key, [...(figures.get(key) ?? []), result]);
      adjust(contestant, row, result);
    });

const rateOf = (contestant: Contestant, row: Row) =>
  betterHalf((figures.get(keyOf(contestant, row)) ?? []).map(({ messagesPerSecond }) => messagesPerSecond));
const p99Of = (contestant: Contestant, row: Row) =>
  lesserHalf((figures.get(keyOf(contestant, row)) ?? []).map(({ p99Ms }) => p99Ms ?? Number.NaN));

function cell(contestant: Contestant, row: Row): string {
  const rate = rateOf(contestant, row);
  if (row.work !== "one") return `${figure((rate * messageSizeBytes) / 1e6)} MB/s`;
  const p99Ms = p99Of(contestant, row);
  return `${figure(rate)} messages/s${Number.isNaN(p99Ms) ? "" : `, p99 ${p99Ms.toFixed(2)} ms`}`;
}

const [first, ...others] = contestants;
const table: Table = {
  title: "Beside other brokers",
  head: ["", ...contestants.map(({ name }) => name), `${first?.name} by the best other`],
  rows: rows.map((row) => [
    row.title,
    ...contestants.map((contestant) => cell(contestant, row)),
    first === undefined || others.length === 0
      ? "–"
      : (rateOf(first, row) / Math.max(...others.map((other) => rateOf(other, row)))).toFixed(2),
  ]),
  notes: [
    `Messages of 1,000 B, one connection, ${rounds} rounds, turn about, the mean of the better half of each broker's rounds; MB are 1,000,000 bytes of payload.`,
    ...contestants.flatMap(({ name, version: ofIt, tool, durability }) => [
      `${name} ${ofIt}: ${tool}. write: ${durability.write}. sync: ${durability.sync}.`,
    ]),
  ],
};
publish([table], { notes: table.notes, figures: Object.fromEntries(figures) }, files);
