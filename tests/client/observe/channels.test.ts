// The diagnostics channels: five with a start and an end, two for what happens to connections and members.
import { afterEach, expect, test } from "bun:test";
import { AsyncLocalStorage } from "node:async_hooks";
import diagnostics from "node:diagnostics_channel";
import { text } from "../../../src/client/index.bun.ts";
import { Scene } from "../consumer/support.ts";
import { FakeBroker } from "../fake-broker.ts";
import { rejection, until } from "../scripted-server.ts";

const forgets: (() => void)[] = [];
afterEach(() => {
  for (const forget of forgets.splice(0)) forget();
});

type Told = Record<string, unknown>;

/** Messages of a channel, from now on. */
function heard(name: string): Told[] {
  const messages: Told[] = [];
  const listener = (message: unknown) => void messages.push(message as Told);
  diagnostics.subscribe(name, listener);
  forgets.push(() => diagnostics.unsubscribe(name, listener));
  return messages;
}

/** What a tracing channel tells, by the parts of its name, in order. */
function traced(what: string): (readonly [part: string, message: Told])[] {
  const told: (readonly [string, Told])[] = [];
  for (const part of ["start", "end", "asyncStart", "asyncEnd", "error"]) {
    const name = `tracing:whippet:${what}:${part}`;
    const listener = (message: unknown) => void told.push([part, message as Told]);
    diagnostics.subscribe(name, listener);
    forgets.push(() => diagnostics.unsubscribe(name, listener));
  }
  return told;
}

const partsOf = (told: readonly (readonly [string, Told])[]) => told.map(([part]) => part);
const went = ["start", "end", "asyncStart", "asyncEnd"];

test("whippet:request and whippet:send: one message from start to end, with the error where it failed", async () => {
  const broker = new FakeBroker();
  await using client = await broker.connect();
  const topic = client.topic("shop", "orders", text);
  const requests = traced("request");
  const sends = traced("send");
  await client.getStreams();
  expect(partsOf(requests)).toEqual(went);
  expect(new Set(requests.map(([, message]) => message)).size).toBe(1);
  expect(requests[0]![1]).toEqual({ command: "getStreams", bytes: 0 });
  const producer = topic.producer();
  await producer.send({ value: "a", partitionId: 2 });
  expect(partsOf(sends)).toEqual(went);
  expect(sends[0]![1]).toEqual({ stream: "shop", topic: "orders", partitionId: 2, messagesCount: 1 });
  sends.length = 0;
  broker.onSend = (send) => send.refuse("Unauthorized");
  await rejection(topic.send({ value: "b", partitionId: 1 }));
  expect(partsOf(sends)).toEqual(["start", "end", "error", "asyncStart", "asyncEnd"]);
  expect(sends[0]![1]).toMatchObject({ partitionId: 1, error: { errorName: "Unauthorized" } });
});

test("whippet:receive, whippet:process, whippet:commit and whippet:group of a member", async () => {
  const scene = new Scene(1);
  scene.topic.append(0, 1);
  const [receives, processes, commits] = [traced("receive"), traced("process"), traced("commit")];
  const group = heard("whippet:group");
  const { consumer } = scene.consumer({ group: "billing" });
  const loop = consumer[Symbol.asyncIterator]();
  const place = { stream: "shop", topic: "orders", group: "billing" };
  const { value: message } = await scene.time.resultOf(loop.next());
  expect(partsOf(receives)).toEqual(went);
  expect(receives[0]![1]).toEqual({ ...place, partitionId: 0, messagesCount: 1 });
  expect(partsOf(processes)).toEqual(["start", "end"]);
  expect(processes[0]![1].message).toBe(message);
  void loop.next();
  await scene.time.until("the commit", () => commits.length === went.length);
  expect(partsOf(processes)).toEqual(went);
  expect(commits[0]![1]).toEqual({ ...place, partitionId: 0, messagesCount: 1 });
  expect(group).toEqual([
    { ...place, kind: "assigned", partitionIds: [0] },
    { ...place, kind: "committed", offsets: new Map([[0, 0]]) },
  ]);
  await scene.time.resultOf(consumer.close());
});

test("a handler of run sees what is bound to the start of whippet:process", async () => {
  const scene = new Scene(1);
  scene.topic.append(0, 1);
  const storage = new AsyncLocalStorage<object>();
  const { start } = diagnostics.tracingChannel("whippet:process");
  start.bindStore(storage, (message) => (message as { message: object }).message);
  forgets.push(() => void start.unbindStore(storage));
  const seen: unknown[] = [];
  const { consumer } = scene.consumer();
  const running = consumer.run(async () => {
    await Promise.resolve();
    seen.push((storage.getStore() as { value?: string }).value);
  });
  await scene.time.until("the message", () => seen.length > 0);
  expect(seen).toEqual(["0/0/0"]);
  await scene.time.resultOf(consumer.close());
  await scene.time.resultOf(running);
});

test("whippet:session tells of every connection, with its URL and without a password", async () => {
  const events = heard("whippet:session");
  const broker = new FakeBroker();
  const client = await broker.connect();
  broker.connections[0]!.close();
  await until(() => events.filter(({ kind }) => kind === "connected").length === 2);
  await client.close();
  const kinds = events.map(({ kind }) => kind);
  expect(kinds).toEqual(["connected", "disconnected", "reconnecting", "connected", "closed"]);
  for (const { url } of events) expect(url).toBe("fake://iggy:***@broker");
});

test("a runtime without the module has no channels, and works", async () => {
  const program = `
    process.getBuiltinModule = undefined;
    const { isTraced, publish } = await import("${import.meta.dir}/../../../src/client/observe/channels.ts");
    publish("session", () => { throw new Error("made for nobody"); });
    console.log(isTraced("send"));`;
  const child = Bun.spawn([process.execPath, "-e", program], { stdout: "pipe", stderr: "pipe" });
  expect(await new Response(child.stdout).text()).toBe("false\n");
});
