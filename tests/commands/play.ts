// Plays one case of the table.
import { expect } from "bun:test";
import type { CommandName } from "../../src/protocol/codes.ts";
import { type Caller, requestBytes } from "./caller.ts";
import { differences } from "./expected.ts";
import type { Role, Stage, Success, Violation } from "./table.ts";
import type { Scene, World } from "./world.ts";

/** A new connection of that kind. "stale" takes a server that asks for heartbeats (stale.test.ts). */
export async function callerOf(world: World, role: Role, { stream, topic, group }: Scene): Promise<Caller> {
  switch (role) {
    case "root":
      return world.connectAsRoot();
    case "guest":
      return world.connectAs(world.guest);
    case "newcomer":
      return world.connectAs(await world.createAccount());
    case "anonymous":
      return world.connect();
    case "ghost":
      return world.ghost();
    case "member": {
      const member = await world.connectAsRoot();
      await member.value("joinConsumerGroup", { stream, topic, group });
      return member;
    }
    case "stale":
      throw new Error("a stale client needs another server");
  }
}

async function requestOf<N extends CommandName>(name: N, { request }: Violation<N>, stage: Stage): Promise<Uint8Array> {
  const made = await request(stage);
  return made instanceof Uint8Array ? made : requestBytes(name, made);
}

/** The error comes, without content; only 30 and 100 close the connection (spec BP 2.7). */
export async function expectViolation<N extends CommandName>(
  name: N,
  violation: Violation<N>,
  stage: Stage,
): Promise<void> {
  const { caller } = stage;
  const { status } = await caller.askRaw(name, await requestOf(name, violation, stage));
  expect(status).toBe(violation.error);
  if (status === 30 || status === 100) await caller.wire.ended();
  else expect(await caller.status("ping", undefined)).toBe(0);
}

/** The command succeeds, its reply and its effects are as expected. */
export async function expectSuccess<N extends CommandName>(name: N, success: Success<N>, stage: Stage): Promise<void> {
  const request = await success.request(stage);
  await success.before?.(stage);
  const { status, value } = await stage.caller.ask(name, request);
  expect(status).toBe(0);
  const expected = success.reply?.(stage, request);
  if (expected === undefined) expect(value).toBeUndefined();
  else expect(value === undefined ? "nothing" : differences(value, expected)).toEqual([]);
  await success.after?.(stage, request);
}
