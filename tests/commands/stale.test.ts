// What a client gets whose heartbeat was missed (spec SB 8.1): the cases of the table that are "by: stale".
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { CommandCode, type CommandName } from "../../src/protocol/codes.ts";
import { useServers } from "../support/server.ts";
import type { Caller } from "./caller.ts";
import { callerOf, expectViolation } from "./play.ts";
import { type Entry, table } from "./table.ts";
import { type Scene, World, waitFor } from "./world.ts";

const servers = useServers();
/** No client may be stale before it has joined, however busy the machine is. */
const interval = "3 s";
const staleWithinMs = 60_000;

let world: World;
let scene: Scene;
/** Members of the scene's group, all of them stale. */
let callers: Caller[];

function staleCases<N extends CommandName>(name: N, { violations }: Entry<N>) {
  return violations
    .filter(({ by }) => by === "stale")
    .map((violation) => ({
      title: `${CommandCode[name]} ${name}: ${violation.error}`,
      play: (caller: Caller) => expectViolation(name, violation, { world, scene, caller }),
    }));
}

const cases = (Object.keys(CommandCode) as CommandName[]).flatMap((name) => staleCases(name, table[name]));

beforeAll(async () => {
  const env = { IGGY_HEARTBEAT_ENABLED: "true", IGGY_HEARTBEAT_INTERVAL: interval };
  world = await World.build(await servers.start({ shards: 2, env }));
  scene = await world.scene();
  callers = [];
  for (const _ of cases) callers.push(await callerOf(world, "member", scene));
  const deadlineMs = performance.now() + staleWithinMs;
  while ((await world.root.value("getClients", undefined)) !== undefined) {
    if (performance.now() > deadlineMs) throw new Error(`clients are still listed after ${staleWithinMs} ms`);
    await Bun.sleep(20);
  }
  // The groups hear of it a moment later, and the shards of what the groups have become.
  const { stream, topic, group } = scene;
  await waitFor("the stale members are out of their group", async () => {
    return (await world.root.content("getConsumerGroup", { stream, topic, group })).membersCount === 0;
  });
}, 120_000);
afterAll(() => world?.close());

describe("a client whose heartbeat was missed", () => {
  test("has left its groups", async () => {
    const { stream, topic, group } = scene;
    const details = await world.root.content("getConsumerGroup", { stream, topic, group });
    expect(details).toMatchObject({ membersCount: 0, members: [] });
  });

  test("can go on with what needs no record", async () => {
    expect(await world.root.value("getStream", { stream: scene.stream })).toMatchObject({ id: scene.streamId });
    await world.send(scene, 0, "one");
  });

  test.each(cases.map(({ title, play }, index) => ({ title, play, index })))("$title", async ({ play, index }) => {
    await play(callers[index]!);
  });
});
