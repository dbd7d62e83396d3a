// The package as it is published: packed, unpacked into an empty project, and imported by its name, never from the source tree.
import { beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { documentClient } from "../../scripts/document-client.ts";
import { useServers } from "../support/server.ts";
import { compile, packClient, root, run, strictOptions } from "./packed-package.ts";

const servers = useServers();
setDefaultTimeout(240_000);
/** An empty project in which it is installed. */
let project = "";
let folder = "";
let archive = "";
let installed = "";

beforeAll(async () => {
  ({ folder, archive } = await packClient());
  project = servers.makeDirectory();
  await Bun.write(join(project, "package.json"), JSON.stringify({ type: "module" }));
  await run(["npm", "install", "--offline", "--no-audit", "--no-fund", archive], project);
  installed = join(project, "node_modules/@whippet/client");
});

test("publint finds nothing", async () => {
  const output = await run(["node", join(root, "node_modules/publint/src/cli.js"), folder, "--strict"], project);
  expect(output).toContain("All good!");
});

test("attw finds nothing wrong with its types where ESM is imported", async () => {
  const attw = join(root, "node_modules/@arethetypeswrong/cli/dist/index.js");
  const output = await run(["node", attw, archive, "--profile", "esm-only", "--no-color"], project);
  expect(output.match(/🟢/gu)?.length).toBeGreaterThan(2);
});

test("depends on nothing, and has every file that its package.json names", () => {
  const manifest = JSON.parse(readFileSync(join(installed, "package.json"), "utf8"));
  for (const name of ["dependencies", "peerDependencies", "optionalDependencies"])
    expect(manifest[name]).toBeUndefined();
  const targets: string[] = Object.values(manifest.exports["."]);
  expect(targets).toHaveLength(4);
  for (const target of targets) expect(readFileSync(join(installed, target), "utf8").length).toBeGreaterThan(0);
  const imports = readdirSync(join(installed, "dist"), { recursive: true, encoding: "utf8" }).flatMap((name) =>
    /\.(js|d\.ts)$/.test(name)
      ? [...readFileSync(join(installed, "dist", name), "utf8").matchAll(/\bfrom "([^"]+)"/g)].map(([, from]) => from!)
      : [],
  );
  expect(imports.length).toBeGreaterThan(100);
  expect(imports.filter((from) => !/^\.{1,2}\/.+\.js$|^node:(net|tls)$/.test(from))).toEqual([]);
});

/** Of a page's bundle, minified and compressed. */
interface BundledBytes {
  /** What it loads at the start. */
  readonly first: number;
  /** That and what the first consumer or reader loads. */
  readonly reading: number;
  /** With everything that is loaded when it is asked for: commands by name, `ensure`, HTTP. */
  readonly all: number;
}

async function bundledBytes(names: string): Promise<BundledBytes> {
  const { metafile, outputFiles } = await build({
    stdin: { contents: `export ${names} from "@whippet/client";`, resolveDir: project },
    bundle: true,
    minify: true,
    splitting: true,
    format: "esm",
    metafile: true,
    write: false,
    absWorkingDir: project,
    outdir: join(project, "bundle"),
  });
  const outputs = new Map(Object.entries(metafile.outputs));
  const loadedBy = (...names: string[]) => {
    const entries = [...outputs].filter(([, { entryPoint }]) => names.some((name) => entryPoint?.endsWith(name)));
    expect(entries).toHaveLength(names.length);
    const paths = new Set(entries.map(([path]) => path));
    for (const path of paths)
      for (const { path: imported, kind } of outputs.get(path)!.imports)
        if (kind === "import-statement") paths.add(imported);
    return paths;
  };
  const bytesOf = (paths: Iterable<string>) => {
    const files = new Set([...paths].map((path) => join(project, path)));
    const texts = outputFiles.filter(({ path }) => files.has(path)).map(({ contents }) => contents);
    return gzipSync(Buffer.concat(texts), { level: 9 }).length;
  };
  const door = "<stdin>";
  return {
    first: bytesOf(loadedBy(door)),
    reading: bytesOf(loadedBy(door, "consumer/engines.js")),
    all: bytesOf(outputs.keys()),
  };
}

/** The limits are what is there, so that nothing comes in unseen: docs/decisions.md says why it is not less. */
test.each([
  ["{ connect, json }", 25, 41.7, 51],
  ["*", 25.5, 42.3, 51.5],
])("%s in a page: below %d KB to begin with, %d KB with consumers, %d KB in all", async (names, ...limits) => {
  const { first, reading, all } = await bundledBytes(names);
  expect(first).toBeLessThan(limits[0] * 1000);
  expect(reading).toBeLessThan(limits[1] * 1000);
  expect(all).toBeLessThan(limits[2] * 1000);
  // No empty bundle either.
  expect(first).toBeGreaterThan(limits[0] * 500);
  expect(reading).toBeGreaterThan(first);
  expect(all).toBeGreaterThan(reading);
});

const typed = `
import { type Client, connect, IggyError, json, type Producer, type Schema, text, type Topic } from "@whippet/client";
declare const schema: Schema<{ at: string }, { at: Date }>;
export async function main(signal: AbortSignal): Promise<number> {
  await using client: Client = await connect("iggy://localhost", { signal, reconnect: { maxMs: 1_000 } });
  const orders = client.topic("shop", "orders", json(schema));
  await orders.send({ value: { at: "2026" }, key: "a", headers: { n: 1, raw: new Uint8Array(1) } });
  const texts: Topic<string, string> = client.topic("shop", 4, text);
  await using producer: Producer<string> = texts.producer({ lingerMs: 5 });
  // @ts-expect-error a text is no value of this topic
  await orders.send({ value: "text" });
  try {
    return (await producer.send({ value: "a" })).attempts;
  } catch (error) {
    if (IggyError.is(error, "TopicIdNotFound")) return error.code;
    throw error;
  }
}
`;

const compilerOptions = { ...strictOptions, types: [], skipLibCheck: false, noEmit: true };

test("its types compile in a strict project that has neither types of Node nor of Bun", async () => {
  await Bun.write(join(project, "program.ts"), typed);
  await compile(project, compilerOptions, ["program.ts"]);
});

test("the code of docs/client.md compiles against it, block after block", async () => {
  const page = readFileSync(join(root, "docs/client.md"), "utf8");
  const blocks = [...page.matchAll(/```ts\n([^`]+)```/g)].map(([, block = ""]) => block);
  expect(blocks.length).toBeGreaterThan(3);
  await Bun.write(
    join(project, "page.ts"),
    `declare const process: { env: Record<string, string> };\n${blocks.join("")}`,
  );
  await compile(project, compilerOptions, ["page.ts"]);
});

test("its reference is made from the docstrings, without a warning", async () => {
  const reference = join(project, "reference");
  expect(await documentClient(installed, reference)).toBe("");
  const page = readFileSync(join(reference, "~/Consumer.html"), "utf8");
  expect(page).toContain(
    "Messages of all partitions, each handled when the next one is asked for. One loop at a time.",
  );
});

const program = `
import { connect, IggyError, text } from "@whippet/client";
const [url, httpUrl, name] = process.argv.slice(2);
const diagnostics = process.getBuiltinModule("node:diagnostics_channel");
const heard = new Set();
for (const what of ["request", "send", "receive", "process", "commit"])
  diagnostics.tracingChannel("whippet:" + what).subscribe({ asyncEnd: () => heard.add(what) });
for (const what of ["session", "group"]) diagnostics.channel("whippet:" + what).subscribe(() => heard.add(what));
const client = await connect(url);
const topic = client.topic("demo", name, text);
await topic.ensure({ partitionsCount: 3 });
await topic.send({ value: "hello", key: "ann" });
const producer = topic.producer();
const { partitionId } = await producer.send({ value: "hello", key: "ann" });
await client.createConsumerGroup("demo", name, "group");
const refusal = await client.createConsumerGroup("demo", name, "group").catch((error) => error);
let handled = 0;
const consumer = topic.consumer({ group: "group" });
await consumer.run(() => void (++handled === 2 && consumer.close()));
const overHttp = await connect(httpUrl);
let read = 0;
for await (const { value } of overHttp.topic("demo", name, text).reader({ follow: false })) read += value.length;
await Promise.all([client.close(), overHttp.close()]);
const runtime = typeof Bun === "undefined" ? "node" : "bun";
console.log(runtime, client.server.transport, partitionId, IggyError.is(refusal, "ConsumerGroupNameAlreadyExists"), handled, read);
console.log([...heard].sort().join());
`;

test("an empty project of Node, and one of Bun, installs it and imports it by name: it sends, receives and commands", async () => {
  const server = await servers.start();
  const bunProject = servers.makeDirectory();
  await Bun.write(join(bunProject, "package.json"), JSON.stringify({ type: "module" }));
  await run([process.execPath, "add", archive], bunProject);
  const partitionId = Bun.hash.xxHash32("ann") % 3;
  const urls = [
    `iggy://iggy:iggy@127.0.0.1:${server.port}`,
    `iggy+http://iggy:iggy@127.0.0.1:${server.portOf("http")}`,
  ];
  for (const [runtime, executable, place] of [
    ["node", "node", project],
    ["bun", process.execPath, bunProject],
  ] as const) {
    await Bun.write(join(place, "program.mjs"), program);
    const output = await run([executable, "program.mjs", ...urls, runtime], place);
    const heard = "commit,group,process,receive,request,send,session";
    expect(output).toBe(`${runtime} tcp ${partitionId} true 2 10\n${heard}`);
  }
  await server.stop();
});
