// The permission matrix (spec SB 7.3): for each command each flag alone, at each level; then what holds across commands.
import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { CommandCode, type CommandName } from "../../src/protocol/codes.ts";
import { numericId } from "../../src/protocol/identifier.ts";
import type { Permissions } from "../../src/protocol/records/permissions.ts";
import { useServers } from "../support/server.ts";
import { type Caller, requestBytes } from "./caller.ts";
import { globalFlags, permissions, streamFlags, streamRights, topicFlags, topicRights } from "./flags.ts";
import { expectSuccess } from "./play.ts";
import { needed, type Right } from "./rights-matrix.ts";
import { type Entry, table } from "./table.ts";
import { type Account, fromFirst, message, plainTopic, reader, type Scene, World } from "./world.ts";

const servers = useServers();
/** Users cost a password hash each. */
const setUpTimeoutMs = 120_000;
let world: World;
/** A user whose permissions change all the time. */
let holder: Account;
let caller: Caller;

beforeAll(async () => {
  // Small segments, as some cases of the table want them.
  const env = { IGGY_SYSTEM_SEGMENT_SIZE: "512 B" };
  world = await World.build(await servers.start({ shards: 2, env }));
  holder = await world.createAccount();
}, setUpTimeoutMs);
afterEach(() => world.closeCallers());
afterAll(() => world?.close());

function allow(granted: Permissions | undefined): Promise<unknown> {
  return world.root.value("updatePermissions", { user: numericId(holder.id), permissions: granted });
}

interface Grant {
  readonly what: string;
  readonly isEnough: boolean;
  on(scene: Scene): Permissions;
}

/** Every flag alone, at every level. */
function singleFlags(right: Right): Grant[] {
  return [
    ...globalFlags.map((flag) => ({
      what: `global ${flag}`,
      isEnough: right.global.includes(flag),
      on: () => permissions([flag]),
    })),
    ...streamFlags.map((flag) => ({
      what: `stream ${flag}`,
      isEnough: right.stream.includes(flag),
      on: ({ streamId }: Scene) => permissions([], [streamRights(streamId, [flag])]),
    })),
    ...topicFlags.map((flag) => ({
      what: `topic ${flag}`,
      isEnough: right.topic.includes(flag),
      on: ({ streamId, topicId }: Scene) => permissions([], [streamRights(streamId, [], [topicRights(topicId, flag)])]),
    })),
  ];
}

/** Everything on the stream beside it and on the topic beside it. */
function neighbours({ streamId, topicId }: Scene): Permissions {
  return permissions(
    [],
    [
      streamRights(streamId, [], [topicRights(topicId + 1, ...topicFlags)]),
      streamRights(streamId + 1_000, streamFlags, [topicRights(topicId, ...topicFlags)]),
    ],
  );
}

function declareMatrix<N extends CommandName>(name: N, entry: Entry<N>, right: Right): void {
  test("exactly the flags of the table are enough", async () => {
    caller = await world.connectAs(holder);
    const refusedScene = await world.scene();
    const request = await entry.ordinary.request({ world, scene: refusedScene, caller: world.root });
    const payload = requestBytes(name, request);
    const wrong: string[] = [];
    for (const { what, isEnough, on } of singleFlags(right)) {
      if (isEnough) {
        const scene = await world.scene();
        await allow(on(scene));
        await expectSuccess(name, entry.ordinary, { world, scene, caller });
      } else {
        await allow(on(refusedScene));
        const { status } = await caller.askRaw(name, payload);
        if (status !== 41) wrong.push(`${what}: ${status}`);
      }
    }
    await allow(neighbours(refusedScene));
    const { status } = await caller.askRaw(name, payload);
    if (status !== 41) wrong.push(`rights on neighbours: ${status}`);
    expect(wrong).toEqual([]);
  }, 120_000);
}

for (const name of Object.keys(CommandCode) as CommandName[]) {
  const right = needed[name];
  if (typeof right === "string") continue;
  describe(`${CommandCode[name]} ${name}`, () => declareMatrix(name, table[name], right));
}

/** Statuses of a few commands on the scene: stream, topic, poll, send, delete topic that is unknown. */
async function statuses({ stream, topic }: Scene): Promise<Record<string, number>> {
  const partitioning = { kind: "partition", partitionId: 0 } as const;
  return {
    getStream: await caller.status("getStream", { stream }),
    getTopic: await caller.status("getTopic", { stream, topic }),
    poll: await caller.status("pollMessages", { consumer: reader, stream, topic, partitionId: 0, ...fromFirst }),
    send: await caller.status("sendMessages", { stream, topic, partitioning, messages: [message("text")] }),
    updateTopic: await caller.status("updateTopic", { stream, topic, ...plainTopic, name: "topic" }),
    updateStream: await caller.status("updateStream", { stream, name: world.uniqueName("renamed") }),
    getStreams: await caller.status("getStreams", undefined),
  };
}

const nothing = { getStream: 41, getTopic: 41, poll: 41, send: 41, updateTopic: 41, updateStream: 41, getStreams: 41 };

describe("levels", () => {
  let scene: Scene;
  beforeAll(async () => {
    scene = await world.scene();
  });
  const withHolder = async (granted: Permissions | undefined) => {
    await allow(granted);
    caller = await world.connectAs(holder);
    return statuses(scene);
  };

  test("no permissions at all", async () => {
    expect(await withHolder(undefined)).toEqual(nothing);
  });

  test("add up: global, stream and topic each give a part", async () => {
    const ofTopic = topicRights(scene.topicId, "pollMessages");
    const granted = permissions(["sendMessages"], [streamRights(scene.streamId, ["readStream"], [ofTopic])]);
    expect(await withHolder(granted)).toEqual({ ...nothing, getStream: 0, getTopic: 0, poll: 0, send: 0 });
    const withoutStream = permissions(["sendMessages"], [streamRights(scene.streamId, [], [ofTopic])]);
    expect(await withHolder(withoutStream)).toEqual({ ...nothing, poll: 0, send: 0 });
  });

  test("a false flag below takes nothing away", async () => {
    const ofTopic = topicRights(scene.topicId);
    const granted = permissions(["manageStreams"], [streamRights(scene.streamId, [], [ofTopic])]);
    expect(new Set(Object.values(await withHolder(granted)))).toEqual(new Set([0]));
  });

  test("inherit downwards: a stream's manager does everything in it, and nothing outside", async () => {
    const granted = permissions([], [streamRights(scene.streamId, ["manageStream"])]);
    expect(await withHolder(granted)).toEqual({
      getStream: 0,
      getTopic: 0,
      poll: 0,
      send: 0,
      updateTopic: 0,
      updateStream: 0,
      getStreams: 41,
    });
    expect(await caller.status("getStream", await world.scene())).toBe(41);
  });

  test("do not inherit upwards: a topic's manager cannot see the stream", async () => {
    const ofTopic = topicRights(scene.topicId, "manageTopic");
    const granted = permissions([], [streamRights(scene.streamId, [], [ofTopic])]);
    expect(await withHolder(granted)).toEqual({ ...nothing, getTopic: 0, poll: 0, send: 0, updateTopic: 0 });
  });

  test("reading everything does not give sending", async () => {
    const granted = permissions(["readStreams", "readTopics", "readServers", "readUsers", "pollMessages"]);
    expect(await withHolder(granted)).toEqual({ ...nothing, getStream: 0, getTopic: 0, poll: 0, getStreams: 0 });
  });

  test("a change counts at once, also for a send like the one before it", async () => {
    await allow(permissions(["sendMessages"]));
    caller = await world.connectAs(holder);
    expect((await statuses(scene)).send).toBe(0);
    await allow(undefined);
    expect((await statuses(scene)).send).toBe(41);
    await allow(permissions(["sendMessages"]));
    expect((await statuses(scene)).send).toBe(0);
    // Somebody else on the same connection.
    await caller.value("loginWithPersonalAccessToken", { token: world.guest.token });
    expect((await statuses(scene)).send).toBe(41);
  });
});

describe("rights that name what is deleted", () => {
  const namedIn = async () =>
    (await world.root.content("getUser", { user: numericId(holder.id) })).permissions?.streams;

  test("a new stream or topic with the same number is not covered, also after a restart", async () => {
    const scene = await world.scene();
    const kept = await world.scene();
    const all = (streamId: number, topicId: number) =>
      streamRights(streamId, streamFlags, [topicRights(topicId, ...topicFlags)]);
    const ofOther = topicRights(kept.topicId + 2, ...topicFlags);
    const ofKept = streamRights(kept.streamId, [], [topicRights(kept.topicId, ...topicFlags), ofOther]);
    await allow(permissions([], [all(scene.streamId, scene.topicId), ofKept]));
    caller = await world.connectAs(holder);
    expect((await statuses(scene)).getStream).toBe(0);
    expect((await statuses(kept)).getTopic).toBe(0);

    await world.root.value("deleteStream", { stream: scene.stream });
    await world.root.value("deleteTopic", { stream: kept.stream, topic: kept.topic });
    const left = [streamRights(kept.streamId, [], [ofOther])];
    expect(await namedIn()).toEqual(left);

    const again = await world.scene();
    const topic = { stream: kept.stream, partitionsCount: 2, ...plainTopic, name: "topic" };
    const { id: topicId } = await world.root.content("createTopic", topic);
    expect([again.streamId, again.topicId, topicId]).toEqual([scene.streamId, scene.topicId, kept.topicId]);
    expect(await statuses(again)).toEqual(nothing);
    expect(await statuses(kept)).toEqual(nothing);
    expect(await caller.status("getTopic", { stream: kept.stream, topic: kept.otherTopic })).toBe(0);

    const { server } = world;
    world.close();
    await server.restart();
    world = await World.after(server, world);
    caller = await world.connectAs(holder);
    expect(await namedIn()).toEqual(left);
    expect(await statuses(again)).toEqual(nothing);
    expect(await statuses(kept)).toEqual(nothing);
    expect(await caller.status("getTopic", { stream: kept.stream, topic: kept.otherTopic })).toBe(0);
  }, 120_000);
});
