// The examples that people begin with, against the real server: a hello, typed values, workers with a dead letter, a reader.
import { expect, setDefaultTimeout, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { aes256Gcm, type Client, connect, json, type Schema, text } from "../../../src/client/index.bun.ts";
import { type TestServer, useServers } from "../../support/server.ts";

const servers = useServers();
setDefaultTimeout(120_000);

async function started(): Promise<{ server: TestServer; client: Client }> {
  const server = await servers.start();
  return { server, client: await connect(`iggy://iggy:iggy@127.0.0.1:${server.port}`) };
}

/** The first `count` of a loop. */
async function take<T>(loop: AsyncIterable<T>, count: number): Promise<T[]> {
  const taken: T[] = [];
  for await (const item of loop) if (taken.push(item) === count) break;
  return taken;
}

test("hello", async () => {
  const { client } = await started();
  const greetings = client.topic("demo", "greetings", text);
  await greetings.ensure({ partitionsCount: 3 });
  const { partitionId } = await greetings.send({ value: "hello", key: "ann" });
  const [message] = await take(greetings.consumer({ group: "printers" }), 1);
  expect(message).toMatchObject({ offset: 0, value: "hello", partitionId });
  await client.close();
  expect(client.state).toBe("closed");
});

/** Checks that there is a date, and makes one of it. */
const dated: Schema<{ readonly at: string }, { readonly at: Date }> = {
  "~standard": {
    validate(value) {
      const at = new Date(typeof value === "object" && value !== null && "at" in value ? String(value.at) : "");
      return Number.isNaN(at.getTime()) ? { issues: [{ message: "is no date", path: ["at"] }] } : { value: { at } };
    },
  },
};

test("typed: checked when sent, a Date when read; encrypted for the broker", async () => {
  const { client } = await started();
  const encryption = await aes256Gcm(Buffer.alloc(32, 3).toString("base64"));
  const orders = client.topic("shop", "orders", json(dated), { encryption });
  await orders.ensure({ partitionsCount: 1 });
  await orders.send({ value: { at: "2026-11-29T10:00:00Z" }, headers: { attempt: 2 } });
  const producer = orders.producer();
  expect(await producer.send({ value: { at: "never" } }).catch((error: unknown) => error)).toMatchObject({
    name: "SchemaError",
  });
  const [message] = await take(orders.consumer({ name: "billing" }), 1);
  expect(message!.value.at.getUTCFullYear()).toBe(2026);
  expect(message!.headers.get("attempt")).toBe(2);
  await client.close();
});

test("workers: in order for each order, what fails goes to the dead letters; a reader ends at the head", async () => {
  const { client } = await started();
  const orders = client.topic("shop", "orders", json<{ orderId: string; step: number }>());
  const deadLetter = client.topic("shop", "orders-failed");
  await Promise.all([orders.ensure({ partitionsCount: 2 }), deadLetter.ensure({ partitionsCount: 1 })]);
  const count = 400;
  function* messages() {
    for (let step = 0; step < count; step++)
      yield { value: { orderId: `order ${step % 10}`, step }, key: `order ${step % 10}` };
  }
  await using producer = orders.producer();
  expect(await producer.sendAll(messages())).toBe(count);

  const shipping = orders.consumer({ group: "shipping" });
  const steps = new Map<string, number[]>();
  let handled = 0;
  await shipping.run(
    ({ value: { orderId, step } }) => {
      if (step === 17) throw new Error("no such address");
      steps.set(orderId, [...(steps.get(orderId) ?? []), step]);
      if (++handled === count - 1) void shipping.close();
    },
    // biome-ignore lint/suspicious/noThenProperty: the option is called so, and nobody awaits it
    { concurrency: 4, orderBy: ({ value }) => value.orderId, onError: { repeats: 1, minMs: 1, then: { deadLetter } } },
  );
  expect(steps.size).toBe(10);
  for (const done of steps.values()) expect(done).toEqual(done.toSorted((a, b) => a - b));
  const [dead] = await take(deadLetter.reader({ follow: false }), 1);
  expect(new TextDecoder().decode(dead!.value)).toBe('{"orderId":"order 7","step":17}');
  expect(dead!.headers.get("dlq-attempts")).toBe(2);

  let read = 0;
  for await (const { value } of orders.reader({ follow: false })) if (value.step >= 0) read++;
  expect(read).toBe(count);
  await client.close();
});

test("a consumer whose server starts again goes on, and the client's close ends its loop", async () => {
  const { server, client } = await started();
  const port = server.port;
  const topic = client.topic("demo", "t", text);
  await topic.ensure({ partitionsCount: 1 });
  const values: string[] = [];
  const reading = (async () => {
    for await (const { value } of topic.consumer({ group: "g" })) values.push(value);
  })();
  const producer = topic.producer();
  await producer.send({ value: "a" });
  while (!values.includes("a")) await Bun.sleep(5);
  await server.restart({ env: { IGGY_TCP_ADDRESS: `127.0.0.1:${port}` } });
  await producer.send({ value: "b" });
  while (!values.includes("b")) await Bun.sleep(5);
  await client.close();
  await reading;
  expect([...new Set(values)]).toEqual(["a", "b"]);
});

test("the lines of the README", async () => {
  const { server } = await started();
  const root = resolve(import.meta.dir, "../../..");
  const [, block = ""] = /```ts\n(import \{ connect[^`]+)```/.exec(readFileSync(join(root, "README.md"), "utf8")) ?? [];
  const program = block.replace('"./src/', `"${root}/src/`).replace("localhost:8090", `127.0.0.1:${server.port}`);
  expect(program).toContain(String(server.port));
  const path = join(servers.makeDirectory(), "example.ts");
  await Bun.write(path, program);
  const child = Bun.spawn([process.execPath, path], { stdout: "pipe", stderr: "pipe", timeout: 60_000 });
  const output = (await new Response(child.stdout).text()) + (await new Response(child.stderr).text());
  expect(output.trim()).toBe("0 hello");
});
