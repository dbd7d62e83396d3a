// The package as it is published: packed, unpacked into an empty project, and imported by its name, never from the source tree.
import { beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { gzipSync } from "node:zlib";
import { buildClient } from "../../scripts/build-client.ts";
import { useServers } from "../support/server.ts";

const servers = useServers();
setDefaultTimeout(240_000);
const root = resolve(import.meta.dir, "../..");
let project = "";
let installed = "";

async function run(command: readonly string[], cwd: string): Promise<string> {
  const child = Bun.spawn([...command], { cwd, stdout: "pipe", stderr: "pipe", timeout: 120_000 });
  const [output, errors] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
  if ((await child.exited) !== 0) throw new Error(`${command.join(" ")}:\n${output}${errors}`);
  return output.trim();
}

beforeAll(async () => {
  project = servers.makeDirectory();
  const folder = join(project, "package");
  await buildClient(folder);
  const [packed] = JSON.parse(await run(["npm", "pack", "--json", "--offline"], folder));
  installed = join(project, "node_modules/@whippet/client");
  mkdirSync(installed, { recursive: true });
  await run(["tar", "xzf", join(folder, packed.filename), "--strip-components=1", "-C", installed], project);
  await Bun.write(join(project, "package.json"), JSON.stringify({ type: "module" }));
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

test.each([
  ["all that the door exports", "*", 45],
  ["a client with its producers and consumers, text and JSON", "{ connect, json, text }", 41],
])("%s (%s) is below %d KB in a page, minified and compressed", async (_, names, kilobytesMax) => {
  const entry = join(project, `size-${kilobytesMax}.ts`);
  await Bun.write(entry, `export ${names} from "@whippet/client";`);
  const built = await Bun.build({ entrypoints: [entry], target: "browser", minify: true });
  expect(built.success).toBe(true);
  const kilobytes = gzipSync(await built.outputs[0]!.text(), { level: 9 }).length / 1000;
  expect(kilobytes).toBeLessThan(kilobytesMax);
  // No empty bundle either.
  expect(kilobytes).toBeGreaterThan(kilobytesMax / 2);
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

const compilerOptions = {
  target: "ES2023",
  lib: ["ES2023", "DOM", "ESNext.Disposable"],
  module: "NodeNext",
  types: [],
  strict: true,
  exactOptionalPropertyTypes: true,
  noUncheckedIndexedAccess: true,
  skipLibCheck: false,
  noEmit: true,
};

test("its types compile in a strict project that has neither types of Node nor of Bun", async () => {
  await Bun.write(join(project, "program.ts"), typed);
  await Bun.write(join(project, "tsconfig.json"), JSON.stringify({ compilerOptions, files: ["program.ts"] }));
  await run(["node", join(root, "node_modules/typescript/bin/tsc"), "-p", "."], project);
});

test("the code of docs/client.md compiles against it, block after block", async () => {
  const page = readFileSync(join(root, "docs/client.md"), "utf8");
  const blocks = [...page.matchAll(/```ts\n([^`]+)```/g)].map(([, block = ""]) => block);
  expect(blocks.length).toBeGreaterThan(3);
  await Bun.write(
    join(project, "page.ts"),
    `declare const process: { env: Record<string, string> };\n${blocks.join("")}`,
  );
  await Bun.write(join(project, "tsconfig.json"), JSON.stringify({ compilerOptions, files: ["page.ts"] }));
  await run(["node", join(root, "node_modules/typescript/bin/tsc"), "-p", "."], project);
});

const program = `
import { connect, text } from "@whippet/client";
const client = await connect(process.argv[2]);
const topic = client.topic("demo", process.argv[3], text);
await topic.ensure({ partitionsCount: 3 });
await topic.send({ value: "hello", key: "ann" });
const producer = topic.producer();
const { partitionId } = await producer.send({ value: "hello", key: "ann" });
await client.close();
console.log(typeof Bun === "undefined" ? "node" : "bun", client.server.transport, partitionId);
`;

test("an empty project imports it in Node and in Bun, by name, and sends", async () => {
  const server = await servers.start();
  await Bun.write(join(project, "program.mjs"), program);
  const url = `iggy://iggy:iggy@127.0.0.1:${server.port}`;
  const partitionId = Bun.hash.xxHash32("ann") % 3;
  expect(await run(["node", "program.mjs", url, "a"], project)).toBe(`node tcp ${partitionId}`);
  expect(await run([process.execPath, "program.mjs", url, "b"], project)).toBe(`bun tcp ${partitionId}`);
  await server.stop();
});
