// Points for backups on shard 0: what comes meanwhile waits, a point that nobody keeps is removed, and a disk that refuses leaves none.
import { expect, test } from "bun:test";
import { pointKeepMicros } from "../../src/shard/backup-points.ts";
import { BackupPoints } from "../../src/shard/index.ts";
import { createStream, openWorld, paths } from "./control-world.ts";

const pointsPath = `${paths.streamsDirectory}/.backup`;

function make(seed: number) {
  const world = openWorld(seed, {});
  const elapsed = { micros: 1 };
  const points = new BackupPoints({
    disk: world.sim,
    paths,
    metadataLog: world.log,
    elapsed: { nowMicros: () => elapsed.micros },
  });
  return { ...world, points, elapsed };
}

test("commands wait while a point is made, and it has what came before", async () => {
  const { plane, simulation, log, points } = make(1);
  const first = plane.execute(createStream("before"));
  const { promise: linked, resolve: link } = Promise.withResolvers<void>();
  let namesAtLink: string[] = [];
  const made = points.make(plane, async () => {
    namesAtLink = [...log.state.streams.byId.values()].map(({ name }) => name);
    await linked;
    return [{ partitionsCount: 2, closedKeys: [7] }];
  });
  let isDone = false;
  const meanwhile = plane.execute(createStream("meanwhile")).then(() => {
    isDone = true;
  });
  await simulation.run();
  await first;
  expect(namesAtLink).toEqual(["before"]);
  expect(isDone).toBe(false);
  link();
  expect(await made).toMatchObject({ partitionsCount: 2, closedKeys: [7] });
  await simulation.run();
  await meanwhile;
  expect([...log.state.streams.byId.values()].map(({ name }) => name)).toEqual(["before", "meanwhile"]);
});

test("a point that is kept stays, and one that nobody keeps is removed", async () => {
  const { plane, sim, simulation, points, elapsed } = make(2);
  const kept = await points.make(plane, async () => []);
  const forgotten = await points.make(plane, async () => []);
  expect(sim.list(pointsPath).sort()).toEqual([kept.pointId, forgotten.pointId].sort());
  elapsed.micros += pointKeepMicros - 1;
  points.keep(kept.pointId);
  points.removeForgotten();
  expect(sim.list(pointsPath)).toHaveLength(2);
  elapsed.micros += 1;
  points.removeForgotten();
  expect(sim.list(pointsPath)).toEqual([kept.pointId]);
  expect(() => points.keep(forgotten.pointId)).toThrow();
  expect(points.remove(kept.pointId)).toBe(true);
  expect(points.remove(kept.pointId)).toBe(false);
  await simulation.run();
  expect(sim.list(pointsPath)).toEqual([]);
});

test("what cannot be made leaves nothing, and commands go on", async () => {
  const { plane, sim, simulation, points } = make(3);
  const refused = points.make(plane, async () => {
    throw new Error("a fault");
  });
  await expect(refused).rejects.toThrow("a fault");
  const done = plane.execute(createStream("after"));
  await simulation.run();
  await done;
  expect(sim.list(pointsPath)).toEqual([]);
});
