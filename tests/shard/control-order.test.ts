import { describe, expect, test } from "bun:test";
import { apply, createState } from "../../src/metadata/index.ts";
import type { ControlCommand } from "../../src/shard/control-commands.ts";
import { createStream, createTopic, deleteStream, named, openWorld, paths, purgeTopic } from "./control-world.ts";

const seeds = Array.from({ length: 25 }, (_, seed) => seed);
const metadataLog = `${paths.stateDirectory}/metadata.log`;
const target = { stream: named("orders"), topic: named("paid") };
const newTopic = {
  stream: named("orders"),
  name: "paid",
  partitionsCount: 1,
  compression: 1,
  messageExpiryMicros: 0n,
  maxTopicSizeBytes: 0n,
  replicationFactor: 1,
} as const;
const createGroup = (name: string): ControlCommand => ({ kind: "createGroup", request: { ...target, name } });
const join = (group: string, clientId: number): ControlCommand => ({
  kind: "joinGroup",
  request: { ...target, group: named(group) },
  clientId,
});

describe("where metadata are durable before they are seen", () => {
  test("an event is in no replica, and is not answered, before the sync; those that overlap share one", async () => {
    const world = openWorld(1, { enforceFsync: true });
    const answers: number[] = [];
    for (let number = 0; number < 20; number++) {
      void world.start(createStream(`stream ${number}`)).then((code) => void answers.push(code));
    }
    await new Promise((resolve) => setImmediate(resolve));
    expect(world.log.state.streams.byId.size).toBe(20);
    expect(world.log.publishedState.streams.byId.size).toBe(0);
    expect([world.events.length, answers.length, world.syncs.length]).toEqual([0, 0, 1]);
    await world.simulation.run();
    expect(answers).toEqual(Array(20).fill(0));
    expect(world.syncs.filter((path) => path === metadataLog).length).toBeLessThanOrEqual(2);
    expect(world.replica).toEqual(world.log.state);
  });

  test("the next command is planned on what was written, seen or not", async () => {
    const world = openWorld(1, { enforceFsync: true });
    expect(await world.execute(createStream("same"), createStream("same"), createTopic("same", "topic"))).toEqual([
      0, 1012, 0,
    ]);
    expect(world.events.map(({ kind }) => kind)).toEqual(["streamCreated", "topicCreated"]);
  });

  test("a failed sync is told to everyone who waits, and nobody sees what was refused", async () => {
    let isBroken = false;
    const world = openWorld(1, { enforceFsync: true, fails: (operation) => isBroken && operation === "sync" });
    await world.execute(createStream("orders"));
    isBroken = true;
    expect(await world.execute(createStream("a"), createTopic("orders", "paid"), deleteStream("orders"))).toEqual([
      10009, 10009, 10009,
    ]);
    expect(world.events).toHaveLength(1);
    expect([...world.log.state.streams.byName.keys()]).toEqual(["orders"]);
    expect(world.log.state.removals.size).toBe(0);
  });

  test("who is in a group does not depend on another's sync: it comes after what is refused", async () => {
    let isBroken = false;
    const world = openWorld(1, { enforceFsync: true, fails: (operation) => isBroken && operation === "sync" });
    await world.execute(createStream("orders"));
    await world.execute(createTopic("orders", "paid"));
    await world.execute(createGroup("workers"));
    await world.execute(join("workers", 7), join("workers", 8));
    isBroken = true;
    const codes = await world.execute(
      createStream("refused"),
      { kind: "clientGone", clientId: 7 },
      createGroup("refused too"),
      join("workers", 9),
      join("refused too", 9),
    );
    expect(codes).toEqual([10009, 0, 10009, 0, 5000]);
    const group = world.replica.streams.byId.get(0)!.topics.byId.get(0)!.groups.byName.get("workers")!;
    expect([...group.membersByClient.keys()].sort()).toEqual([8, 9]);
  });

  test.each(seeds)("every shard has the order of the log, whatever overlaps, seed %d", async (seed) => {
    const world = openWorld(seed, { enforceFsync: seed % 3 !== 0 });
    const { simulation } = world;
    await world.execute(createStream("orders"));
    await world.execute(createTopic("orders", "paid"));
    await world.execute(createGroup("workers"));
    const random = (): ControlCommand =>
      simulation.pick<ControlCommand>([
        createStream(`stream ${simulation.between(0, 3)}`),
        deleteStream(`stream ${simulation.between(0, 3)}`),
        join("workers", simulation.between(1, 5)),
        { kind: "clientGone", clientId: simulation.between(1, 5) },
        purgeTopic("orders", "paid"),
        createTopic("orders", `topic ${simulation.between(0, 3)}`),
        { kind: "finishRemovals" },
      ]);
    const documented = new Set([0, 1009, 1012, 2013]);
    for (let round = 0; round < 15; round++) {
      const answers = Array.from({ length: simulation.between(1, 6) }, () => world.start(random()));
      await simulation.runSome(simulation.between(0, 5));
      const late = Array.from({ length: simulation.between(0, 3) }, () => world.start(random()));
      await simulation.run();
      for (const code of await Promise.all([...answers, ...late])) expect(documented).toContain(code);
      expect(world.replica).toEqual(world.log.publishedState);
      expect(world.log.publishedState).toEqual(world.log.state);
    }
    const other = createState();
    for (const event of world.events) apply(other, structuredClone(event));
    expect(other).toEqual(world.replica);
  });
});

describe("where metadata are in the file before they are seen", () => {
  test("nothing waits for a sync, also not behind a purge: no shard reads of a topic whose partitions are not made", async () => {
    const world = openWorld(1, {});
    await world.execute(createStream("orders"));
    await world.execute(createTopic("orders", "paid"));
    void world.start(createStream("at once"));
    expect(world.events.at(-1)).toMatchObject({ kind: "streamCreated", name: "at once" });
    void world.start(purgeTopic("orders", "paid"));
    void world.start(createStream("behind"));
    expect(world.events.slice(3).map(({ kind }) => kind)).toEqual(["topicPurged", "streamCreated"]);
    await world.simulation.run();
  });

  test.each(seeds)("a purge that was answered is known after a power loss, seed %d", async (seed) => {
    const world = openWorld(seed, {});
    await world.execute(createStream("orders"));
    await world.execute(createTopic("orders", "paid"));
    expect(await world.execute(purgeTopic("orders", "paid"))).toEqual([0]);
    const partitionsOf = ({ log }: typeof world) => log.state.streams.byId.get(0)?.topics.byId.get(0)?.partitions;
    expect(partitionsOf(openWorld(seed, {}, world.sim.crash()))).toEqual(partitionsOf(world)!);
  });

  test("a deletion that is not durable is answered with 10009; its files stay, also at the next tick, until it is", async () => {
    const world = openWorld(1, {});
    await world.execute(createStream("orders"));
    world.sim.makeDirectory(paths.topicDirectory(0, 0));
    // A sync that cannot begin, not one that failed: it is tried again.
    const operations = ["syncDirectory"] as const;
    world.sim.failCalls({ operations, errorCode: "EMFILE", below: paths.stateDirectory });
    expect(await world.execute(deleteStream("orders"))).toEqual([10009]);
    expect(await world.execute({ kind: "finishRemovals" })).toEqual([10009]);
    expect(world.log.state.streams.byId.size).toBe(0);
    expect(world.sim.exists(paths.topicDirectory(0, 0))).toBe(true);
    expect(world.log.state.removals.size).toBe(1);
    world.sim.heal();
    expect(await world.execute({ kind: "finishRemovals" })).toEqual([0]);
    expect(world.sim.exists(paths.topicDirectory(0, 0))).toBe(false);
  });

  test("a purge that is not durable is answered with 10009; one of a persisted topic, or of a stream with one, is refused", async () => {
    for (const kind of ["purgeTopic", "purgeStream"] as const) {
      for (const durability of ["replicated", "persisted"] as const) {
        const world = openWorld(1, {});
        await world.execute(createStream("orders"));
        const options = { durability };
        const topic: ControlCommand = { kind: "createTopic", request: { ...newTopic, options } };
        expect(await world.execute(topic)).toEqual([0]);
        const restarted = openWorld(1, {}, world.sim.processCrash());
        restarted.sim.heal();
        restarted.sim.failCalls({ operations: ["syncDirectory"], errorCode: "EMFILE", below: paths.stateDirectory });
        const purge: ControlCommand =
          kind === "purgeTopic" ? purgeTopic("orders", "paid") : { kind, request: { stream: named("orders") } };
        expect(await restarted.execute(purge)).toEqual([10009]);
        expect([restarted.events.length, restarted.log.state.removals.size]).toEqual(
          durability === "persisted" ? [0, 0] : [1, 1],
        );
      }
    }
  });
});
