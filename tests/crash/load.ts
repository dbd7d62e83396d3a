// The load of the crash tests: producers that pipeline, and clients that make, change, purge and delete everything that has a
// name. Each runs until it is told to stop or its connection breaks; what it does stands in the history.
import type { Client } from "../../src/client/index.ts";
import { IggyError } from "../../src/protocol/errors.ts";
import { connectClient } from "../support/client.ts";
import { eventually } from "../support/process-facts.ts";
import { Actor, type Place, partitionsOf } from "./actor.ts";
import { type History, Lifetime, type PartitionHistory, type StreamHistory, UserHistory } from "./history.ts";

export interface Address {
  readonly host: string;
  readonly port: number;
}

const lanesCount = 6;
const batchMessagesMax = 8;
const payloadBytesMax = 900;
const consumersCount = 3;
/** A few segments. */
const sizeLimitBytes = 256n * 1024n;

/** A failure that is the crash itself. */
function isLostConnection(error: unknown): boolean {
  return (
    error instanceof IggyError &&
    (error.errorName === "Disconnected" || error.errorName === "CannotEstablishConnection")
  );
}

/** What the actors work on that is never deleted. */
interface Ground {
  readonly steady: readonly Place[];
  readonly segments: Place;
  readonly purged: Place;
  /** Of which retention removes the oldest segments. */
  readonly limited: Place;
  readonly churned: readonly StreamHistory[];
}

/** One turn of an actor; false when it has nothing more to do. */
type Turn = (actor: Actor) => Promise<void>;

/** A run with fewer says little. */
export const turnsPerRun = 15;

export class Load {
  readonly #history: History;
  readonly #seed: number;
  #ground: Ground | undefined;
  #isStopping = false;
  #running: Promise<void>[] = [];
  #turnsCount = 0;

  constructor(history: History, seed: number) {
    this.#history = history;
    this.#seed = seed;
  }

  /** Turns of all actors so far. */
  get turnsCount(): number {
    return this.#turnsCount;
  }

  /** Makes what stays. Once, against a new broker. */
  async prepare(address: Address): Promise<void> {
    const actor = new Actor(await this.#connect(address), this.#history, 0, this.#seed);
    const stream = await actor.createStream("steady");
    const place = async (name: string, partitionsCount: number, sizeLimit?: bigint): Promise<Place> => ({
      stream,
      topic: await actor.createTopic(stream, name, partitionsCount, sizeLimit),
    });
    this.#ground = {
      steady: [await place("first", 3), await place("second", 3)],
      segments: await place("segments", 2),
      purged: await place("purged", 2),
      limited: await place("limited", 2, sizeLimitBytes),
      churned: [await actor.createStream("churned-0"), await actor.createStream("churned-1")],
    };
    actor.client.close();
  }

  /** Starts all actors. */
  start(address: Address): void {
    const ground = this.#ground!;
    this.#isStopping = false;
    const turns: readonly Turn[] = [
      (actor) => produce(actor, ground),
      (actor) => produce(actor, ground),
      (actor) => commit(actor, ground),
      (actor) => deleteSegments(actor, ground.segments),
      (actor) => purge(actor, ground.purged),
      (actor) => overfill(actor, ground.limited),
      (actor) => churnTopics(actor, ground.churned[0]!),
      (actor) => churnTopics(actor, ground.churned[1]!),
      (actor) => churnStreams(actor),
      (actor) => churnGroups(actor, ground.steady[0]!),
      (actor) => churnUsers(actor),
    ];
    this.#running = turns.map((turn, id) => this.#run(address, turn, id));
  }

  /** Starts all actors and leaves them at work for `durationMs`, or for as long as a busy machine takes for `turnsPerRun`. */
  async runFor(durationMs: number, address: Address): Promise<void> {
    const before = this.#turnsCount;
    this.start(address);
    await Bun.sleep(durationMs);
    await eventually(
      "turns of the load",
      () => this.#turnsCount - before,
      (count) => count >= turnsPerRun,
    );
  }

  /** Lets the actors end their turns, or waits until their connections have broken; rejects with what went wrong else. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    const results = await Promise.allSettled(this.#running);
    this.#running = [];
    for (const result of results) if (result.status === "rejected") throw result.reason;
  }

  async #run(address: Address, turn: Turn, id: number): Promise<void> {
    let client: Client | undefined;
    try {
      client = await this.#connect(address);
      const actor = new Actor(client, this.#history, id, this.#seed * 100 + id + this.#turnsCount);
      while (!this.#isStopping) {
        await turn(actor);
        this.#turnsCount++;
      }
    } catch (error) {
      if (!isLostConnection(error)) throw new Error(`actor ${id}`, { cause: error });
    } finally {
      client?.close();
    }
  }

  #connect({ host, port }: Address): Promise<Client> {
    return connectClient({ host, port, reconnect: false, username: "iggy", password: "iggy" });
  }
}

async function produce(actor: Actor, { steady }: Ground): Promise<void> {
  const lane = async (): Promise<void> => {
    const place = actor.pick(steady);
    await actor.send(place, actor.pick(partitionsOf(place.topic)), 1 + actor.below(batchMessagesMax), payloadBytesMax);
  };
  const results = await Promise.allSettled(Array.from({ length: lanesCount }, lane));
  for (const result of results) if (result.status === "rejected") throw result.reason;
  await Bun.sleep(5);
}

async function commit(actor: Actor, { steady }: Ground): Promise<void> {
  const place = actor.pick(steady);
  await actor.storeOffset(place, actor.pick(partitionsOf(place.topic)), 1 + actor.below(consumersCount));
  await Bun.sleep(5);
}

/** Alone in its partitions, so that offsets follow from what was sent. */
async function deleteSegments(actor: Actor, place: Place): Promise<void> {
  const partition = actor.pick(partitionsOf(place.topic));
  for (let number = 0; number < 6; number++) await actor.send(place, partition, 20, payloadBytesMax);
  await actor.deleteSegment(place, partition);
  await Bun.sleep(5);
}

/** More than the topic may hold. */
async function overfill(actor: Actor, place: Place): Promise<void> {
  await actor.send(place, actor.pick(partitionsOf(place.topic)), 20, payloadBytesMax);
  await Bun.sleep(5);
}

async function purge(actor: Actor, place: Place): Promise<void> {
  for (const partition of partitionsOf(place.topic)) {
    await actor.send(place, partition, 1 + actor.below(20), payloadBytesMax);
    await actor.storeOffset(place, partition, 1 + actor.below(consumersCount));
  }
  if (actor.below(3) === 0) await actor.purgeTopic(place);
  await Bun.sleep(5);
}

async function fill(actor: Actor, place: Place, partitions: readonly PartitionHistory[]): Promise<void> {
  for (const partition of partitions) {
    await actor.send(place, partition, 1 + actor.below(3), 100);
    if (actor.below(2) === 0) await actor.storeOffset(place, partition, 1);
  }
}

/** Topics with few names, so that names and numbers are given again and again. */
async function churnTopics(actor: Actor, stream: StreamHistory): Promise<void> {
  const name = `topic-${actor.below(4)}`;
  const known = stream.topics.find((topic) => topic.name === name && topic.removed === undefined);
  if (known === undefined) {
    const topic = await actor.createTopic(stream, name, 1 + actor.below(3));
    await fill(actor, { stream, topic }, partitionsOf(topic));
    return;
  }
  const place = { stream, topic: known };
  switch (actor.below(5)) {
    case 0:
      await actor.addPartition(place);
      await fill(actor, place, partitionsOf(known).slice(-1));
      break;
    case 1:
      if (partitionsOf(known).length > 1) await actor.deletePartition(place);
      break;
    case 2:
      await churnGroups(actor, place);
      break;
    case 3:
      await fill(actor, place, partitionsOf(known));
      break;
    default:
      await actor.deleteTopic(place);
  }
  await Bun.sleep(2);
}

async function churnStreams(actor: Actor): Promise<void> {
  const name = `stream-${actor.below(3)}`;
  const known = actor.history.streams.find((stream) => stream.name === name && stream.removed === undefined);
  if (known === undefined) {
    const stream = await actor.createStream(name);
    const topic = await actor.createTopic(stream, "only", 2);
    await fill(actor, { stream, topic }, partitionsOf(topic));
  } else await actor.deleteStream(known);
  await Bun.sleep(5);
}

async function churnGroups(actor: Actor, place: Place): Promise<void> {
  const name = `group-${actor.below(3)}`;
  const known = place.topic.groups.find((group) => group.name === name && group.removed === undefined);
  if (known === undefined) await actor.storeGroupOffsets(place, await actor.createGroup(place, name));
  else if (actor.below(2) === 0) await actor.deleteGroup(place, known);
  else await actor.storeGroupOffsets(place, known);
  await Bun.sleep(5);
}

async function churnUsers(actor: Actor): Promise<void> {
  const { client, history } = actor;
  const username = `user-${actor.below(3)}`;
  const known = history.users.find((user) => user.name === username && user.removed === undefined);
  const tokenName = `token-${actor.below(3)}`;
  const token = history.tokens.find((candidate) => candidate.name === tokenName && candidate.removed === undefined);
  const newPassword = `password-${actor.below(1000)}`;
  if (known === undefined) {
    await history.run(
      (call) => {
        const user = new UserHistory(username, call);
        user.passwords.push({ value: newPassword, call, isDurableAtOnce: true });
        history.users.push(user);
      },
      () => client.createUser({ username, password: newPassword }),
    );
  } else if (actor.below(2) === 0) {
    await history.run(
      (call) => {
        known.removed = call;
      },
      () => client.deleteUser(username),
    );
  } else {
    const password = known.passwords.at(-1)!.value!;
    await history.run(
      (call) => known.passwords.push({ value: newPassword, call, isDurableAtOnce: true }),
      () => client.changePassword(username, password, newPassword),
    );
  }
  if (token === undefined) {
    await history.run(
      (call) => history.tokens.push(new Lifetime(tokenName, call)),
      () => client.createPersonalAccessToken(tokenName, 0n),
    );
  } else {
    await history.run(
      (call) => {
        token.removed = call;
      },
      () => client.deletePersonalAccessToken(tokenName),
    );
  }
  await Bun.sleep(20);
}
