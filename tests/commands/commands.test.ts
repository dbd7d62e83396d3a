// Every command code: without login (40), without the right (41), each documented violation with its number, success with the
// reply field by field.
import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { CommandCode, type CommandName } from "../../src/protocol/codes.ts";
import { useServers } from "../support/server.ts";
import { type Caller, requestBytes } from "./caller.ts";
import { malformedPayloads } from "./malformed.ts";
import { callerOf, expectSuccess, expectViolation } from "./play.ts";
import { needed } from "./rights-matrix.ts";
import { type Entry, table } from "./table.ts";
import { type Scene, World, waitFor } from "./world.ts";

const servers = useServers();
const commandNames = Object.keys(CommandCode) as CommandName[];
/** Small, so that segments are sealed. */
const segmentSize = "512 B";

/** Users cost a password hash each. */
const setUpTimeoutMs = 120_000;
let world: World;
/** For requests that are refused. */
let sharedScene: Scene;

beforeAll(async () => {
  const server = await servers.start({ shards: 2, env: { IGGY_SYSTEM_SEGMENT_SIZE: segmentSize } });
  world = await World.build(server);
  sharedScene = await world.scene();
}, setUpTimeoutMs);
afterEach(() => world.closeCallers());
afterAll(() => world?.close());

function declareTests<N extends CommandName>(name: N, entry: Entry<N>): void {
  const { ordinary, more = [], violations } = entry;

  /** The ordinary request, made in the shared scene, whose caller is root. */
  async function ordinaryBytes(): Promise<Uint8Array> {
    const stage = { world, scene: sharedScene, caller: world.root };
    return requestBytes(name, await ordinary.request(stage));
  }

  test(needed[name] === "nothing" ? "needs no login" : "without login: 40", async () => {
    const payload = await ordinaryBytes();
    const caller = await world.connect();
    const expected = needed[name] === "nothing" ? 0 : 40;
    expect((await caller.askRaw(name, payload)).status).toBe(expected);
    // What follows a request is not looked at (spec BP 2.9).
    expect((await caller.askRaw(name, new Uint8Array([...payload, 0, 0, 0, 0]))).status).toBe(expected);
  });

  test("malformed, which comes before the login", async () => {
    const caller = await world.connect();
    const faults = malformedPayloads(entry.begins, await ordinaryBytes());
    const answers: string[] = [];
    for (const { what, payload, error } of faults) {
      const { status } = await caller.askRaw(name, payload);
      if (status !== error) answers.push(`${what}: ${status}, not ${error}`);
    }
    expect(answers).toEqual([]);
    expect(faults.length > 0).toBe(entry.begins !== "none" && entry.begins !== "send");
  });

  if (typeof needed[name] !== "string") {
    test("without the right: 41", async () => {
      const payload = await ordinaryBytes();
      expect((await world.guestCaller.askRaw(name, payload)).status).toBe(41);
    });
  }

  for (const violation of violations) {
    const { error, what, by = "root" } = violation;
    if (by === "stale") continue; // stale.test.ts
    test(`${error}: ${what} (${by})`, async () => {
      // Who may do nothing leaves nothing behind.
      const scene = by === "root" || by === "member" ? await world.scene() : sharedScene;
      await expectViolation(name, violation, { world, scene, caller: await callerOf(world, by, scene) });
    });
  }

  for (const success of [ordinary, ...more]) {
    const { what, by = "root" } = success;
    test(`success: ${what} (${by})`, async () => {
      const scene = await world.scene();
      await expectSuccess(name, success, { world, scene, caller: await callerOf(world, by, scene) });
    });
  }
}

for (const name of commandNames) {
  describe(`${CommandCode[name]} ${name}`, () => declareTests(name, table[name]));
}

describe("101 sendMessages, whose payload is read by rules of its own (spec BP 4.5)", () => {
  const headBytes = 26;

  async function statusesOf(payloads: readonly Uint8Array[], caller: Caller): Promise<Set<number>> {
    const statuses = new Set<number>();
    for (const payload of payloads) statuses.add((await caller.askRaw("sendMessages", payload)).status);
    expect(await caller.status("ping", undefined)).toBe(0);
    return statuses;
  }
  const prefixes = async (bytes: number) => {
    const stage = { world, scene: sharedScene, caller: world.root };
    const payload = requestBytes("sendMessages", await table.sendMessages.ordinary.request(stage));
    return Array.from({ length: bytes }, (_, size) => payload.slice(0, size));
  };

  test("malformed without login: 40, and the next request is read as such", async () => {
    expect([...(await statusesOf(await prefixes(headBytes + 30), await world.connect()))]).toEqual([40]);
  });

  test("cut inside its head: 6 in an identifier, else 3", async () => {
    const heads = await prefixes(headBytes);
    const statuses = await statusesOf(heads, world.guestCaller);
    expect([...statuses].toSorted((left, right) => left - right)).toEqual([3]);
    const ownLength = heads.slice(4).map((head) => {
      const copy = head.slice();
      new DataView(copy.buffer).setUint32(0, copy.length - 4, true);
      return copy;
    });
    for (const [index, payload] of ownLength.entries()) {
      const isInIdentifier = index < 12;
      const { status } = await world.guestCaller.askRaw("sendMessages", payload);
      expect([index, status]).toEqual([index, isInIdentifier ? 6 : 3]);
    }
  });
});

test("numbers that are no command: 3, also without login", async () => {
  const known = new Set<number>(Object.values(CommandCode));
  const unknown = Array.from({ length: 1000 }, (_, code) => code).filter((code) => !known.has(code));
  const caller = await world.connect();
  const statuses = new Set<number>();
  for (const code of [...unknown, 2 ** 32 - 1]) statuses.add((await caller.wire.request(code)).status);
  expect([...statuses]).toEqual([3]);
});

test("stats count what there is", async () => {
  const clientsCount = async () => (await world.root.content("getStats", undefined)).clientsCount;
  await waitFor("only root and the guest are connected", async () => (await clientsCount()) === 2);
  const before = await world.root.content("getStats", undefined);
  const scene = await world.scene();
  await world.send(scene, 0, "one", "two");
  const anonymous = await world.connect();
  await anonymous.value("ping", undefined); // connected is not accepted: an answer is
  const after = await world.root.content("getStats", undefined);
  expect(after.streamsCount - before.streamsCount).toBe(1);
  expect(after.topicsCount - before.topicsCount).toBe(3);
  expect(after.partitionsCount - before.partitionsCount).toBe(5);
  expect(after.segmentsCount - before.segmentsCount).toBe(5);
  expect(after.messagesCount - before.messagesCount).toBe(2n);
  expect(after.messagesSizeBytes - before.messagesSizeBytes).toBe(134n);
  expect(after.consumerGroupsCount - before.consumerGroupsCount).toBe(2);
  expect(after.clientsCount - before.clientsCount).toBe(1);
});
