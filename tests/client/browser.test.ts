// The client as a page loads it: one bundle for browsers, in a process without what only Bun and Node have.
import { expect, test } from "bun:test";
import { join, resolve } from "node:path";
import { useServers } from "../support/server.ts";

const servers = useServers();

const page = `
const [bundle, port] = [process.argv[2], Number(process.argv[3])];
const print = console.log;
const source = await Bun.file(bundle).text();
for (const name of ["Buffer", "process", "require"]) delete globalThis[name];
const url = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
const { connect } = await import(url);
const client = await connect("iggy+ws://iggy:iggy@127.0.0.1:" + port);
await client.createStream("orders");
await client.createTopic("orders", { name: "eu", partitionsCount: 1 });
const partitioning = { kind: "partition", partitionId: 0 };
const messages = Array.from({ length: 3000 }, (_, index) => ({ payload: new Uint8Array(1000).fill(index) }));
await client.sendMessages({ stream: "orders", topic: "eu", partitioning, messages });
const consumer = { kind: "consumer", id: { kind: "numeric", value: 1 } };
const strategy = { kind: "offset", value: 0n };
const polled = await client.pollMessages({ consumer, stream: "orders", topic: "eu", partitionId: 0, strategy, count: 3000 });
print(typeof Buffer, polled.messages.length, polled.messages[2999].payload[0]);
await client.close();
`;

test("the bundle for browsers needs nothing but WebSocket: it logs in, sends and polls", async () => {
  const server = await servers.start();
  const directory = servers.makeDirectory();
  const built = await Bun.build({
    entrypoints: [resolve(import.meta.dir, "../../src/client/index.ts")],
    target: "browser",
    outdir: directory,
  });
  expect(built.success).toBe(true);
  const pagePath = join(directory, "page.mjs");
  await Bun.write(pagePath, page);
  const child = Bun.spawn(
    [process.execPath, pagePath, join(directory, "index.js"), String(server.portOf("websocket"))],
    { stdout: "pipe", stderr: "pipe", timeout: 120_000 },
  );
  const output = (await new Response(child.stdout).text()) + (await new Response(child.stderr).text());
  expect(output.trim()).toBe(`undefined 3000 ${2999 % 256}`);
  await server.stop();
}, 120_000);
