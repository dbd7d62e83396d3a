// `whippet tail`: messages as they come.

import type { Client, Encryption } from "../../client/index.bun.ts";
import { IggyError } from "../../protocol/errors.ts";
import { nameId } from "../../protocol/identifier.ts";
import type { PolledMessage } from "../../protocol/message/poll-messages.ts";
import { messageLine } from "../../protocol/message-line.ts";
import { type Command, serverCommand } from "../command.ts";
import { type Filter, field, grep, header } from "../filters.ts";
import type { Output } from "../output/output.ts";
import { printable } from "../output/table.ts";
import { exactTimeText, numberText } from "../output/words.ts";
import { flag, oneOf, option, optional, optionOr, repeated } from "../parameters.ts";
import { type Position, position, positionWords, rangeOf } from "../ranges.ts";
import { decodedHeaders, fieldText } from "../transfer/headers.ts";
import { nobody, type Place, placesOf, pollFrom } from "../transfer/partitions.ts";
import { type PayloadForm, payloadForms, payloadText } from "../transfer/payload.ts";
import { identifier, integer, partitionIds } from "../values.ts";
import { decrypted } from "./message-poll.ts";
import { pollTopic, stream, type TopicPlace } from "./places.ts";

/** Longest wait of one request, where the server can wait; it is ended by whatever comes. */
const waitMs = 5_000;
/** Between two looks, where it cannot. */
const pauseMs = 250;
const lastDefault: Position = { kind: "last", count: 10n };

interface Followed {
  readonly place: TopicPlace;
  readonly name: string;
  readonly partitions: Place[];
}

const tail = serverCommand({
  words: ["tail"],
  summary: "Show messages as they come",
  details: [
    `It begins with the last ten messages, or as many as -n says, or --from: ${positionWords}. Without a topic it follows all topics of the stream.`,
    "--grep, --header and --field look at what was read, here: all must hold, and what was read is told at the end.",
    "With --format ndjson each message is a line of JSON, as export writes it.",
  ].join("\n"),
  examples: [
    "tail orders created",
    "tail orders created --from -10m --header source=cli --grep 'A-1[0-9]'",
    "tail orders created --field customer.id=12 --format ndjson | jq .payload",
  ],
  arguments: { stream, topic: optional(identifier, "Name or number of the topic", { completes: "topics" }) },
  options: {
    from: option("--from <POSITION>", position, "Where to begin (last:10)"),
    partitions: option("-p, --partitions <IDS>", partitionIds, "Only these, with commas between them"),
    grep: repeated("--grep <REGEXP>", grep, "The payload as text has this"),
    header: repeated("--header <NAME[=VALUE]>", header, "There is this header"),
    field: repeated("--field <PATH=VALUE>", field, "The payload is JSON with this value: customer.id=12"),
    payload: optionOr("--payload <FORM>", oneOf(payloadForms), "text", "text, hex, base64 or none (text)", {
      choices: payloadForms,
    }),
    count: option("-n, --messages <COUNT>", integer(1, 2 ** 31), "End after so many"),
    hasEnd: flag("--no-follow", "End with the last message that is there"),
  },
  lasts: true,
  right: (args) => pollTopic("follow")({ stream: args.stream, topic: args.topic ?? args.stream }),
  async run(client, args, output, session) {
    // As many before the end as are wanted: `-n 1` is the newest one.
    const beginning = args.count === undefined ? lastDefault : ({ kind: "last", count: BigInt(args.count) } as const);
    const range = rangeOf(args.from, undefined, beginning);
    const filters: readonly Filter[] = [...args.grep, ...args.header, ...args.field];
    const followed = await followedOf(client, args, range.from, args.partitions ?? []);
    const shower = new Shower(output, {
      filters,
      form: args.payload,
      countMax: args.count ?? Number.POSITIVE_INFINITY,
      encryption: await session.encryption(),
      hasNames: args.topic === undefined,
    });
    const { signal } = session;
    if (range.from.kind === "last") await showLast(client, followed, Number(range.from.count), shower);
    const canWait = followed.length === 1 && client.server.features.has("long-poll");
    while (!signal.aborted && !shower.isFull) {
      let found = 0;
      for (const { place, name, partitions } of followed) {
        for (const partition of partitions) {
          if (signal.aborted || shower.isFull) break;
          const messages = await pollFrom(client, place, partition);
          found += messages.length;
          await shower.show(name, partition.partitionId, messages);
        }
      }
      if (found > 0) continue;
      if (args.hasEnd) break;
      await more(client, followed, canWait, signal);
    }
    if (filters.length > 0 || output.isTerminal) {
      await output.say(`${numberText(shower.shown)} shown of ${numberText(shower.read)} read`);
    }
  },
});

async function followedOf(
  client: Client,
  args: { readonly stream: TopicPlace["stream"]; readonly topic: TopicPlace["topic"] | undefined },
  from: Position,
  only: readonly number[],
): Promise<Followed[]> {
  const details = await client.getStream(args.stream);
  if (details === undefined) throw new IggyError("StreamIdNotFound");
  const { topic } = args;
  const chosen = details.topics.filter(
    ({ id, name }) => topic === undefined || (topic.kind === "numeric" ? topic.value === id : topic.value === name),
  );
  if (topic !== undefined && chosen.length === 0) throw new IggyError("TopicIdNotFound");
  return await Promise.all(
    chosen.map(async ({ name }) => {
      const place = { stream: args.stream, topic: nameId(name) };
      return { place, name, partitions: await placesOf(client, place, { from, to: undefined }, only) };
    }),
  );
}

/** The last messages of all partitions together, in the order of their times. */
async function showLast(client: Client, followed: readonly Followed[], count: number, shower: Shower): Promise<void> {
  const found: { readonly name: string; readonly partitionId: number; readonly message: PolledMessage }[] = [];
  for (const { place, name, partitions } of followed) {
    for (const partition of partitions) {
      while (partition.next < partition.end) {
        const messages = await pollFrom(client, place, partition);
        if (messages.length === 0) break;
        for (const message of messages) found.push({ name, partitionId: partition.partitionId, message });
      }
    }
  }
  found.sort((one, other) => Number(one.message.timestampMicros - other.message.timestampMicros));
  for (const { name, partitionId, message } of count === 0 ? [] : found.slice(-count)) {
    await shower.show(name, partitionId, [message]);
  }
}

/** Until there may be more, or the user ends it. */
async function more(
  client: Client,
  followed: readonly Followed[],
  canWait: boolean,
  signal: AbortSignal,
): Promise<void> {
  const ended = new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
  const [only] = followed;
  if (!canWait || only === undefined) return await Promise.race([Bun.sleep(pauseMs), ended]);
  const waiting = client.pollWaiting({
    ...only.place,
    consumer: nobody,
    strategy: { kind: "offset", value: 0n },
    count: 1,
    positions: only.partitions.map(({ partitionId, next }) => ({ partitionId, offset: next })),
    waitMs,
  });
  waiting.catch(() => undefined); // given up with the command; what fails meanwhile is thrown by the race
  await Promise.race([waiting, ended]);
}

interface ShowerOptions {
  readonly filters: readonly Filter[];
  readonly form: PayloadForm;
  readonly countMax: number;
  readonly encryption: Encryption | undefined;
  /** Each line names its topic. */
  readonly hasNames: boolean;
}

class Shower {
  shown = 0;
  read = 0;
  readonly #output: Output;
  readonly #options: ShowerOptions;

  constructor(output: Output, options: ShowerOptions) {
    this.#output = output;
    this.#options = options;
  }

  get isFull(): boolean {
    return this.shown >= this.#options.countMax;
  }

  async show(topicName: string, partitionId: number, messages: readonly PolledMessage[]): Promise<void> {
    const { filters, encryption } = this.#options;
    for (const message of messages) {
      if (this.isFull) return;
      this.read++;
      const clear = await decrypted(message, encryption);
      if (!filters.every((holds) => holds(clear))) continue;
      this.shown++;
      await this.#output.line(this.#textOf(topicName, partitionId, clear));
    }
  }

  #textOf(topicName: string, partitionId: number, message: PolledMessage): string {
    const { format, styles } = this.#output;
    if (format === "json" || format === "ndjson") return messageLine(partitionId, message).trimEnd();
    const { form, hasNames } = this.#options;
    const headers = (decodedHeaders(message.userHeaders) ?? []).map(
      ({ key, value }) => `${fieldText(key)}=${fieldText(value)}`,
    );
    const time = exactTimeText(message.timestampMicros).slice(11, 23);
    const place = `${hasNames ? `${topicName}:` : ""}${partitionId}:${message.offset}`;
    // What a sender wrote must not drive the terminal.
    const told = [place.padEnd(9), ...headers, payloadText(message.payload, form)].map(printable);
    return [styles.dim(time), ...told].join(" ").trimEnd();
  }
}

export const commands: readonly Command[] = [tail];
