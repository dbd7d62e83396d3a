// The programs of docs/examples in Node and in Bun, against the real server: compiled in a strict project that has the client as npm
// packs it. The fifth is a page (doc-page.test.ts).
import { afterEach, beforeAll, beforeEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import { createDecipheriv, randomBytes } from "node:crypto";
import { readdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { type Client, connect, json } from "../../src/client/index.bun.ts";
import { type TestServer, useServers } from "../support/server.ts";
import { compile, makeProject, root, strictOptions } from "./packed-package.ts";

const servers = useServers();
setDefaultTimeout(240_000);
const waitMs = 100_000;
let project = "";

beforeAll(async () => {
  project = servers.makeDirectory();
  await makeProject(project);
  for (const name of ["zod", "@types"])
    symlinkSync(join(root, "node_modules", name), join(project, "node_modules", name));
  const names = readdirSync(join(root, "docs/examples")).filter((name) => name.endsWith(".ts"));
  expect(names).toHaveLength(9);
  for (const name of names) await Bun.write(join(project, name), Bun.file(join(root, "docs/examples", name)));
  await compile(project, { ...strictOptions, types: ["node"], skipLibCheck: true, outDir: "out" }, names);
});

/** A program of docs/examples at work. */
class Program {
  readonly child: Bun.Subprocess<"ignore", "pipe", "pipe">;
  readonly #errors: Promise<string>;
  readonly #reading: Promise<void>;
  #output = "";
  #wake = (): void => undefined;

  constructor(command: readonly string[], env: Readonly<Record<string, string>>) {
    this.child = Bun.spawn([...command], {
      cwd: project,
      env: { ...process.env, ...env },
      stdin: "ignore",
      stdout: "pipe",
      stderr: "pipe",
      timeout: waitMs,
    });
    this.#errors = new Response(this.child.stderr).text();
    this.#reading = this.#read();
  }

  async #read(): Promise<void> {
    const decoder = new TextDecoder();
    for await (const chunk of this.child.stdout) {
      this.#output += decoder.decode(chunk, { stream: true });
      this.#wake();
    }
    this.#wake();
  }

  /** Waits until it has said as many lines. */
  async said(count: number): Promise<readonly string[]> {
    for (;;) {
      const lines = this.#output.split("\n").slice(0, -1);
      if (lines.length >= count) return lines;
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#wake = resolve;
      const isOver = await Promise.race([promise.then(() => false), this.#reading.then(() => true)]);
      if (isOver && this.#output.split("\n").length <= count)
        throw new Error(`it ended, and said:\n${this.#output}${await this.#errors}`);
    }
  }

  /** Waits for the end, which has to be a good one; after a signal, if one is given. Everything that it said. */
  async ended(signal?: "SIGINT" | "SIGTERM"): Promise<readonly string[]> {
    if (signal !== undefined) this.child.kill(signal);
    await Promise.all([this.child.exited, this.#reading]);
    expect({ exitCode: this.child.exitCode, errors: await this.#errors }).toEqual({ exitCode: 0, errors: "" });
    return this.#output.split("\n").slice(0, -1);
  }
}

describe.each([
  ["Node", "node"],
  ["Bun", process.execPath],
])("%s", (_, runtime) => {
  let server: TestServer;
  let client: Client;
  let url = "";

  beforeAll(async () => {
    server = await servers.start();
    url = `iggy://iggy:iggy@127.0.0.1:${server.port}`;
  });
  beforeEach(async () => {
    client = await connect(url);
  });
  afterEach(async () => {
    for (const { name } of await client.getStreams()) await client.deleteStream(name);
    await client.close();
  });

  function start(name: string, ...rest: readonly string[]): Program {
    return startWith({}, name, ...rest);
  }

  function startWith(env: Readonly<Record<string, string>>, name: string, ...rest: readonly string[]): Program {
    return new Program([runtime, join("out", `${name}.js`), ...rest], { ...env, IGGY_URL: url });
  }

  async function ordersOf(partitionsCount = 3) {
    const orders = client.topic("shop", "orders", json<object>());
    await orders.ensure({ partitionsCount });
    return orders;
  }

  async function storedBy(group: string, topic = "orders", stream = "shop"): Promise<bigint> {
    let count = 0n;
    for (let partitionId = 0; partitionId < 3; partitionId++) {
      const consumer = { kind: "group", id: { kind: "string", value: group } } as const;
      const stored = await client.getConsumerOffset({ stream, topic, partitionId, consumer });
      count += stored === undefined ? 0n : stored.storedOffset + 1n;
    }
    return count;
  }

  test("1: hello; an end by SIGINT commits what was printed", async () => {
    const program = start("01-hello");
    await program.said(1);
    expect(await program.ended("SIGINT")).toEqual(["0 hello"]);
    expect(await storedBy("printers", "greetings", "demo")).toBe(1n);
  });

  test("2: typed values; what does not fit is refused and not sent", async () => {
    const program = start("02-typed");
    await program.said(2);
    expect(await program.ended("SIGINT")).toEqual(["refused: amount", "bill A-1 2026"]);
    expect((await client.getTopic("shop", "orders"))?.messagesCount).toBe(1n);
  });

  test("3: all rows of a file, those of a key in their order", async () => {
    const count = 20_000;
    const rows = Array.from({ length: count }, (_, row) => `A-${row % 100},${row}`);
    await Bun.write(join(project, "orders.csv"), rows.join("\n"));
    expect(await start("03-many-rows", "orders.csv").ended()).toEqual([`${count} stored`]);
    const last = new Map<string, number>();
    let read = 0;
    for await (const { value } of client
      .topic("shop", "orders", json<{ orderId: string; amount: number }>())
      .reader({ follow: false })) {
      expect(value.amount).toBe((last.get(value.orderId) ?? value.amount - 100) + 100);
      last.set(value.orderId, value.amount);
      read++;
    }
    expect({ read, keys: last.size }).toEqual({ read: count, keys: 100 });
  });

  test("4: single sends that nobody waits for", async () => {
    expect(await start("04-single-sends").ended()).toEqual(["10000 stored"]);
    expect((await client.getTopic("shop", "readings"))?.messagesCount).toBe(10_000n);
  });

  test("6: two workers share the orders; what fails goes to the dead letters after five repeats; SIGTERM ends them", async () => {
    const orders = await ordersOf();
    const workers = [start("06-workers"), start("06-workers")];
    const isOpen = async () => (await client.getConsumerGroup("shop", "orders", "shipping"))?.membersCount === 2;
    while (!(await isOpen())) await Bun.sleep(20);
    const count = 60;
    const messages = Array.from({ length: count }, (_, order) => {
      const value = { orderId: `A-${order}`, ...(order !== 7 && { address: "here" }) };
      return { value, key: value.orderId };
    });
    await orders.producer().sendAll(messages);
    while ((await storedBy("shipping")) < count) await Bun.sleep(20);
    const lines = (await Promise.all(workers.map((worker) => worker.ended("SIGTERM")))).flat();
    expect(lines.filter((line) => line === "done")).toHaveLength(2);
    const shipped = new Set(lines.filter((line) => line !== "done"));
    expect(shipped).toEqual(
      new Set(messages.map(({ key }) => `shipped ${key}`).filter((line) => line !== "shipped A-7")),
    );
    const dead: unknown[] = [];
    for await (const { headers } of client.topic("shop", "orders-failed").reader({ follow: false }))
      dead.push([headers.get("dlq-reason"), headers.get("dlq-attempts")]);
    // A partition that goes to the other worker in the middle of it begins again there.
    expect(dead.length).toBeGreaterThan(0);
    for (const one of dead) expect(one).toEqual(["Error: no address", 6]);
  });

  test("7: what is there, and then it ends; nothing is stored", async () => {
    const orders = await ordersOf();
    const amounts = Array.from({ length: 300 }, (_, amount) => ({ value: { amount } }));
    await orders.producer().sendAll(amounts);
    expect(await start("07-last-hour").ended()).toEqual([`sold for ${(299 * 300) / 2}`]);
  });

  test("8: batches, own commits, a seek where the lag is too large", async () => {
    const orders = await ordersOf(2);
    const send = (partitionId: number, count: number) =>
      orders
        .producer()
        .sendAll(Array.from({ length: count }, (_, order) => ({ value: { orderId: String(order) }, partitionId })));
    await Promise.all([send(0, 5), send(1, 3_000)]);
    const program = startWith({ LAG_MAX: "2000" }, "08-by-hand");
    const lines = await program.said(2);
    expect(lines.join("\n")).toContain("partition 1 goes on with what is new, partition 0 waits");
    await send(1, 3);
    const consumer = { kind: "consumer", id: { kind: "string", value: "audit" } } as const;
    const stored = () => client.getConsumerOffset({ stream: "shop", topic: "orders", partitionId: 1, consumer });
    while ((await stored())?.storedOffset !== 3_002n) await Bun.sleep(20);
    const all = await program.ended("SIGINT");
    const archived = all.filter((line) => line.endsWith("of partition 1")).map((line) => Number(line.split(" ")[1]));
    expect(archived.reduce((sum, count) => sum + count, 0)).toBeLessThan(1_000);
  });

  test("9: encrypted with the new key, read with either; the broker has bytes that only the key opens", async () => {
    const [newKey, oldKey] = [randomBytes(32), randomBytes(32)];
    const env = { NEW_KEY: newKey.toString("base64"), OLD_KEY: oldKey.toString("base64") };
    expect(await startWith(env, "09-encrypted").ended()).toEqual(["all is well text/plain 2"]);
    const swapped = { NEW_KEY: env.OLD_KEY, OLD_KEY: env.NEW_KEY };
    const line = "all is well text/plain 2";
    expect(await startWith(swapped, "09-encrypted").ended()).toEqual([line, line]);
    const opened: string[] = [];
    for await (const { payload } of client.topic("health", "records").reader({ follow: false })) {
      const key = opened.length === 0 ? newKey : oldKey;
      const decipher = createDecipheriv("aes-256-gcm", key, payload.subarray(0, 12));
      decipher.setAuthTag(payload.subarray(-16));
      opened.push(Buffer.concat([decipher.update(payload.subarray(12, -16)), decipher.final()]).toString());
    }
    expect(opened).toEqual(["all is well", "all is well"]);
  });
});
