// Hooks of consumers and readers: what came, what is worked on, what is stored, over a simulated topic.
import { expect, test } from "bun:test";
import type { ConsumerHooks } from "../../../src/client/consumer/observer.ts";
import type { Outcome } from "../../../src/client/index.bun.ts";
import { names, Scene } from "../consumer/support.ts";

/** What hooks were told, line by line. */
function listener() {
  const told: string[] = [];
  const end =
    (line: string) =>
    ({ error, durationMs }: Outcome) => {
      told.push(`${line} ${error === undefined ? "ended" : `failed: ${error}`}${durationMs >= 0 ? "" : "?"}`);
    };
  const hooks: ConsumerHooks = {
    receive: ({ stream, topic, partitionId, messagesCount, group }) => {
      const line = `receive ${stream}/${topic} ${group} ${partitionId} ${messagesCount}`;
      told.push(line);
      return end(line);
    },
    process: ({ message, messagesCount, group, partitionId }) => {
      const line = `process ${group} ${partitionId} ${message.value} ${messagesCount}`;
      told.push(line);
      return end(line);
    },
    commit: ({ group, partitionId, messagesCount }) => {
      const line = `commit ${group} ${partitionId} ${messagesCount}`;
      told.push(line);
      return end(line);
    },
  };
  return { told, hooks };
}

test("a loop: a batch from when it came to its last message, each message until the next is asked for, what is stored", async () => {
  const scene = new Scene(1);
  scene.topic.append(0, 2);
  const { told, hooks } = listener();
  const { consumer } = scene.consumer({ name: "audit" }, hooks);
  const loop = consumer[Symbol.asyncIterator]();
  const [first, second] = names(0, 0, 2);
  const received = "receive shop/orders undefined 0 2";
  expect(await scene.next(loop, 1)).toEqual([first!]);
  expect(told).toEqual([received, `process undefined 0 ${first} 1`]);
  told.length = 0;
  expect(await scene.next(loop, 1)).toEqual([second!]);
  expect(told).toEqual([
    `process undefined 0 ${first} 1 ended`,
    `${received} ended`,
    `process undefined 0 ${second} 1`,
  ]);
  told.length = 0;
  await scene.time.resultOf(loop.return!());
  await scene.time.resultOf(consumer.close());
  // The one in hand when the loop ended is told, and not stored.
  expect(told).toEqual([`process undefined 0 ${second} 1 ended`, "commit undefined 0 1", "commit undefined 0 1 ended"]);
});

test("batches: one at work, with its first message; what lies ready and is not wanted any more ends, too", async () => {
  const scene = new Scene(1);
  scene.topic.append(0, 3);
  const { told, hooks } = listener();
  const { consumer } = scene.consumer({ name: "audit" }, hooks);
  const loop = consumer.batches();
  const batch = await scene.time.resultOf(loop.next());
  expect(batch.value.messagesCount).toBe(3);
  const [first] = names(0, 0, 1);
  expect(told.at(-1)).toBe(`process undefined 0 ${first} 3`);
  scene.topic.append(0, 2);
  await scene.time.until("the next ones", () => told.at(-1) === "receive shop/orders undefined 0 2");
  await scene.time.resultOf(consumer.seek({ offset: 0 }));
  expect(told.at(-1)).toBe("receive shop/orders undefined 0 2 ended");
  await scene.time.resultOf(loop.return!());
  await scene.time.resultOf(consumer.close());
});

test("run: each attempt of the handler, with the error that it failed with", async () => {
  const scene = new Scene(1);
  scene.topic.append(0, 1);
  const { told, hooks } = listener();
  const { consumer } = scene.consumer({ group: "billing", commit: "each" }, hooks);
  let attempts = 0;
  const running = consumer.run(
    () => {
      if (++attempts === 1) throw new Error("not yet");
    },
    { onError: () => "repeat" },
  );
  await scene.time.until("the commit", () => told.at(-1) === "commit billing 0 1 ended");
  const line = `process billing 0 ${names(0, 0, 1)[0]} 1`;
  expect(told.filter((one) => one.startsWith("process"))).toEqual([
    line,
    `${line} failed: Error: not yet`,
    line,
    `${line} ended`,
  ]);
  await scene.time.resultOf(consumer.close());
  await scene.time.resultOf(running);
});

test("a store that is refused is told as such", async () => {
  const scene = new Scene(1);
  scene.topic.append(0, 1);
  const { told, hooks } = listener();
  const { consumer, connection } = scene.consumer({ group: "billing", commit: "manual" }, hooks);
  const loop = consumer[Symbol.asyncIterator]();
  const { value: message } = await scene.time.resultOf(loop.next());
  connection.cut();
  await scene.time.errorOf(consumer.commit(message));
  expect(told.filter((one) => one.startsWith("commit"))).toEqual([
    "commit billing 0 1",
    expect.stringContaining("commit billing 0 1 failed: "),
  ]);
  await scene.time.resultOf(loop.return!());
  await scene.time.resultOf(consumer.close());
});

test("a reader tells what came and what is worked on", async () => {
  const scene = new Scene(1);
  scene.topic.append(0, 1);
  const { told, hooks } = listener();
  const { reader } = scene.reader({ follow: false }, hooks);
  const loop = reader[Symbol.asyncIterator]();
  expect(await scene.next(loop, 2)).toEqual(names(0, 0, 1));
  const process = `process undefined 0 ${names(0, 0, 1)[0]} 1`;
  const receive = "receive shop/orders undefined 0 1";
  expect(told).toEqual([receive, `${receive} ended`, process, `${process} ended`]);
});
