// The TypeScript client, which speaks the protocol of 0.8, in the mixed tour: a producer and a member of the group.
import { crc32 } from "node:zlib";
import type { Client } from "../../src/client/index.ts";
import { Simulation } from "../../src/platform/simulated/simulation.ts";
import { IggyError } from "../../src/protocol/errors.ts";
import type { Partitioning } from "../../src/protocol/partitioning.ts";
import { groupConsumer } from "../groups/support.ts";
import { type ClientOptions, connectClient } from "../support/client.ts";
import type { MixedLedger, Stored } from "./mixed-ledger.ts";

/** Where everybody works. */
export interface MixedPlace {
  readonly stream: string;
  readonly topic: string;
  readonly group: string;
  readonly partitionsCount: number;
}

/** Microseconds of the system's clock, which all processes of the tour share. */
export function nowMicros(): number {
  return Math.floor((performance.timeOrigin + performance.now()) * 1000);
}

/** Every other second nobody leaves and nothing is cut: whatever comes twice then is wrong. */
export function isCalm(): boolean {
  return Math.floor(Date.now() / 1000) % 2 === 1;
}

function payloadOf(producer: string, number: number, choices: Simulation): Uint8Array {
  const filler = Array.from({ length: choices.between(0, 300) }, () => choices.between(0, 255));
  return Buffer.concat([Buffer.from(`${producer} ${number} `), Buffer.from(filler)]);
}

function partitioningOf(choices: Simulation, partitionsCount: number): Partitioning {
  const kind = choices.between(0, 2);
  if (kind === 0) return { kind: "balanced" };
  if (kind === 1) return { kind: "partition", partitionId: choices.between(0, partitionsCount - 1) };
  return { kind: "key", key: Uint8Array.of(choices.between(0, 255), choices.between(0, 255)) };
}

/** Sends with every partitioning until `isOver`. */
export async function produce(
  options: ClientOptions,
  place: MixedPlace,
  ledger: MixedLedger,
  isOver: () => boolean,
): Promise<void> {
  const { stream, topic, partitionsCount } = place;
  const client = await connectClient(options);
  const choices = new Simulation(17);
  const producer = "typescript-08";
  for (let next = 0; !isOver(); ) {
    const payloads = Array.from({ length: choices.between(1, 20) }, (_, index) =>
      payloadOf(producer, next + index, choices),
    );
    const messages = payloads.map((payload) => ({ payload }));
    await client.sendMessages({ stream, topic, partitioning: partitioningOf(choices, partitionsCount), messages });
    ledger.sent.push({ producer, first: next, sums: payloads.map((payload) => crc32(payload)), place: undefined });
    next += payloads.length;
    await Bun.sleep(choices.between(5, 25));
  }
  client.close();
  ledger.done.add(producer);
}

/** Takes part in the group until `isOver`; leaves now and then, or closes its connection without a word. */
export async function consume(
  options: ClientOptions,
  { stream, topic, group }: MixedPlace,
  ledger: MixedLedger,
  isOver: () => boolean,
): Promise<void> {
  const choices = new Simulation(19);
  const member = "typescript-08-restless";
  const consumer = groupConsumer(group);
  const strategy = { kind: "next", value: 0n } as const;
  const changed = (what: string, started: number) => ledger.changes.push({ member, what, started, ended: nowMicros() });
  while (!isOver()) {
    const client = await connectClient(options);
    const joining = nowMicros();
    await client.joinConsumerGroup(stream, topic, group);
    changed("joined", joining);
    while (!isOver() && (isCalm() || !choices.chance(3))) {
      const started = nowMicros();
      const count = choices.between(1, 50);
      const { partitionId, messages } = await client.pollMessages({ consumer, stream, topic, strategy, count });
      const ended = nowMicros();
      const [first] = messages;
      if (first === undefined) {
        await Bun.sleep(5);
        continue;
      }
      const offset = messages.at(-1)!.offset;
      if (offset !== first.offset + BigInt(messages.length - 1)) ledger.fail(`${member}: a gap between offsets`);
      const sums = messages.map(({ payload }) => crc32(payload));
      const commit = await client.storeConsumerOffset({ consumer, stream, topic, partitionId, offset }).then(
        () => "ok",
        (error: unknown) => {
          if (error instanceof IggyError) return error.errorName;
          throw error;
        },
      );
      const times = { started, ended, commit, committed: nowMicros() };
      ledger.polled.push({ member, partition: partitionId, first: Number(first.offset), sums, ...times });
    }
    const leaving = nowMicros();
    if (choices.chance(50)) await client.leaveConsumerGroup(stream, topic, group);
    client.close();
    await Bun.sleep(choices.between(50, 300));
    changed("left", leaving);
  }
}

/** Everything that the topic holds: its messages say who made them. */
export async function readAll(client: Client, { stream, topic, partitionsCount }: MixedPlace): Promise<Stored[][]> {
  const partitions: Stored[][] = [];
  for (let partitionId = 0; partitionId < partitionsCount; partitionId++) {
    const stored: Stored[] = [];
    for (;;) {
      const strategy = { kind: "offset", value: BigInt(stored.length) } as const;
      const consumer = { kind: "consumer", id: groupConsumer("reader").id } as const;
      const { messages } = await client.pollMessages({ consumer, stream, topic, partitionId, strategy, count: 1000 });
      if (messages.length === 0) break;
      for (const { payload } of messages) {
        const [producer = "", number] = Buffer.from(payload.slice(0, 40)).toString("latin1").split(" ");
        stored.push({ producer, number: Number(number), sum: crc32(payload) });
      }
    }
    partitions.push(stored);
  }
  return partitions;
}
