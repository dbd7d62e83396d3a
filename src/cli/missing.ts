// Which thing is not there: after a refusal the server is asked step by step, and what may have been meant is told.

import type { Client } from "../client/index.bun.ts";
import { errorCodes } from "../protocol/error-codes.ts";
import { IggyError } from "../protocol/errors.ts";
import type { Identifier } from "../protocol/identifier.ts";
import { Problem } from "./problem.ts";

type Args = Readonly<Record<string, unknown>>;

function isIdentifier(value: unknown): value is Identifier {
  return typeof value === "object" && value !== null && "kind" in value && "value" in value;
}

function identifierIn(args: Args, name: string): Identifier | undefined {
  const value = args[name];
  return isIdentifier(value) ? value : undefined;
}

/** How something is named in sentences: a number, or a name in quotes. */
export function named({ kind, value }: Identifier): string {
  return kind === "numeric" ? String(value) : `"${value}"`;
}

type Named = { readonly name: string };

const namesOf = (things: readonly Named[]) => things.map(({ name }) => name);

function problem(what: string, id: Identifier, names: readonly string[], code: number): Problem {
  return Problem.missing(`no ${what}`, id.kind === "string" ? id.value : "", id.kind === "string" ? names : [], code);
}

/** The first of the things that a command names that is not there; undefined if all are, or may not be looked at. */
export async function whatIsMissing(client: Client, args: Args): Promise<Problem | undefined> {
  try {
    return await lookFor(client, args);
  } catch (error) {
    if (error instanceof IggyError) return undefined;
    throw error;
  }
}

async function lookFor(client: Client, args: Args): Promise<Problem | undefined> {
  const user = identifierIn(args, "user");
  if (user !== undefined && (await client.getUser(user)) === undefined) {
    const names = (await client.getUsers()).map(({ username }) => username);
    return problem(`user ${named(user)}`, user, names, errorCodes.ResourceNotFound);
  }
  const stream = identifierIn(args, "stream");
  if (stream === undefined) return undefined;
  if ((await client.getStream(stream)) === undefined) {
    const names = namesOf(await client.getStreams());
    return problem(`stream ${named(stream)}`, stream, names, errorCodes.StreamIdNotFound);
  }
  const topic = identifierIn(args, "topic");
  if (topic === undefined) return undefined;
  const found = await client.getTopic(stream, topic);
  const place = `in stream ${named(stream)}`;
  if (found === undefined) {
    const names = namesOf(await client.getTopics(stream));
    return problem(`topic ${named(topic)} ${place}`, topic, names, errorCodes.TopicIdNotFound);
  }
  const group = identifierIn(args, args.kind === "consumer-group" ? "consumer" : "group");
  if (group !== undefined && (await client.getConsumerGroup(stream, topic, group)) === undefined) {
    const names = namesOf(await client.getConsumerGroups(stream, topic));
    const what = `consumer group ${named(group)} of topic ${named(topic)} ${place}`;
    return problem(what, group, names, errorCodes.ConsumerGroupIdNotFound);
  }
  const { partition } = args;
  if (typeof partition === "number" && !found.partitions.some(({ id }) => id === partition)) {
    const ids = found.partitions.map(({ id }) => id);
    const text = ids.length === 0 ? "it has none" : `it has ${ids[0]} to ${ids.at(-1)}`;
    const what = `no partition ${partition} of topic ${named(topic)} ${place}: ${text}`;
    return new Problem(`${what}  (error ${errorCodes.PartitionNotFound})`, { exitCode: 5 });
  }
  return undefined;
}

/** `value`, or the error of something that is not there, which the program makes a sentence of. */
export function found<T>(value: T | undefined): T {
  if (value === undefined) throw new IggyError("ResourceNotFound");
  return value;
}
