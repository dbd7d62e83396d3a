// Snapshots are made one at a time in the whole process, whichever shard is asked.
import { afterAll, expect, test } from "bun:test";
import { SnapshotCompressionCode, SnapshotTypeCode } from "../../src/protocol/records/enumerations.ts";
import { execute, type ServerContext } from "../../src/server/index.ts";
import { startShards } from "../shard/setup.ts";
import { codeOf } from "../support/error-code.ts";
import { makeContext, makeSession } from "./setup.ts";

const shards = startShards();
afterAll(() => shards.close());

function ask(context: ServerContext): Promise<Uint8Array | undefined> {
  const request = { compressionCode: SnapshotCompressionCode.stored, typeCodes: [SnapshotTypeCode.test] };
  return execute(context, makeSession(0), "getSnapshot", request);
}

test("who asks while one is made is refused with 9000, on every shard; then the next one is made", async () => {
  const making: PromiseWithResolvers<Uint8Array>[] = [];
  const snapshot = () => {
    const one = Promise.withResolvers<Uint8Array>();
    making.push(one);
    return one.promise;
  };
  const [here, there] = shards.shards.map((shard) => makeContext(shard, { snapshot }));
  const first = ask(here!);
  expect([await codeOf(ask(here!)), await codeOf(ask(there!))]).toEqual([9000, 9000]);
  expect(making).toHaveLength(1);
  making[0]!.resolve(new Uint8Array([1]));
  expect(await first).toEqual(new Uint8Array([1]));

  const failing = ask(there!);
  making[1]!.reject(new Error("no memory"));
  expect(await failing.catch((error: unknown) => error)).toEqual(new Error("no memory"));
  const last = ask(here!);
  making[2]!.resolve(new Uint8Array([2]));
  expect(await last).toEqual(new Uint8Array([2]));
});
