// The single-file executable, built as `npm run build` builds it, alone in a directory and with nothing in its environment:
// no Bun, no Node, no packages, no home.
import { beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { copyFileSync, readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import packageJson from "../../package.json" with { type: "json" };
import { buildExecutable } from "../../scripts/build.ts";
import { overview } from "../../src/cli/help.ts";
import { stylesOf } from "../../src/cli/output/styles.ts";
import { wordGroups } from "../../src/cli/words.ts";
import type { Client } from "../../src/client/index.ts";
import { CommandCode } from "../../src/protocol/codes.ts";
import { encodeRequestFrame } from "../../src/protocol/frame.ts";
import { findSidecarProgram } from "../../src/transport/quic/sidecar-program.ts";
import { Collector, telemetryTo } from "../observability/collector.ts";
import { expectQuick } from "../support/quiet-machine.ts";
import { type ServerOptions, type TestServer, useServers } from "../support/server.ts";
import { HttpTestClient } from "../transport/http-client.ts";
import { QuicClient, type QuicTarget } from "../transport/quic-client.ts";

setDefaultTimeout(300_000);

const servers = useServers();
const buildScript = resolve(import.meta.dir, "../../scripts/build.ts");
/** Required of `--help` and `--version`. */
const answerMsMax = 100;
const answerRuns = 10;

const consumer = { kind: "consumer", id: { kind: "string", value: "reader" } } as const;
const target = { stream: "orders", topic: "eu" } as const;

let built: string;
let cache: string;

beforeAll(() => {
  built = join(servers.makeDirectory(), "whippet");
  cache = servers.makeDirectory();
  const { exitCode, stdout, stderr } = Bun.spawnSync([process.execPath, buildScript, built]);
  if (exitCode !== 0) throw new Error(`the build ended with ${exitCode}: ${stdout}${stderr}`);
});

/** What people load and keep: megabytes of 10^6 bytes. */
const sizeBytesMax = 160e6;

test("stays within its size", () => expect(statSync(built).size).toBeLessThan(sizeBytesMax));

/** A copy in a directory of its own. */
function aloneInDirectory(): { readonly directory: string; readonly program: string } {
  const directory = servers.makeDirectory();
  const program = join(directory, "whippet");
  copyFileSync(built, program);
  return { directory, program };
}

/** Nothing of this process's environment; only what the test server sets. */
function serverOptions(program: string, env: ServerOptions["env"] = {}): ServerOptions {
  const inherited = Object.keys(process.env).filter((name) => !name.startsWith("IGGY_"));
  const nothing = Object.fromEntries(inherited.map((name) => [name, undefined]));
  return { program, shards: 2, env: { ...nothing, XDG_CACHE_HOME: cache, IGGY_QUIC_ENABLED: "true", ...env } };
}

function run(directory: string, ...command: string[]) {
  const startedAtMs = performance.now();
  const { exitCode, stdout, stderr } = Bun.spawnSync(command, { cwd: directory, env: {} });
  return { exitCode, stdout: String(stdout), stderr: String(stderr), tookMs: performance.now() - startedAtMs };
}

function send(client: Client, ...texts: string[]): Promise<void> {
  const partitioning = { kind: "partition", partitionId: 0 } as const;
  const messages = texts.map((text) => ({ payload: new TextEncoder().encode(text) }));
  return client.sendMessages({ ...target, partitioning, messages });
}

async function poll(client: Client): Promise<string[]> {
  const strategy = { kind: "offset", value: 0n } as const;
  const { messages } = await client.pollMessages({ ...target, consumer, partitionId: 0, strategy, count: 100 });
  return messages.map(({ payload }) => new TextDecoder().decode(payload));
}

async function withQuic(server: TestServer, use: (client: QuicClient, target: QuicTarget) => Promise<void>) {
  const certPem = readFileSync(join(server.dataPath, "certificates/cert.pem"), "utf8");
  const client = new QuicClient(servers.makeDirectory());
  try {
    await use(client, { port: server.portOf("quic"), certPem });
  } finally {
    await client.stop();
  }
}

describe("the executable", () => {
  test.each([
    ["--version", `whippet ${packageJson.version}\n`],
    ["--help", overview(packageJson.version, wordGroups, true, stylesOf(false))],
  ])("answers %s at once and touches nothing", (option, expected) => {
    const { directory, program } = aloneInDirectory();
    const runs = Array.from({ length: answerRuns }, () => run(directory, program, option));
    for (const { exitCode, stdout, stderr } of runs) {
      expect({ exitCode, stdout, stderr }).toEqual({ exitCode: 0, stdout: expected, stderr: "" });
    }
    expectQuick(option, Math.min(...runs.map(({ tookMs }) => tookMs)), answerMsMax);
    expect(readdirSync(directory)).toEqual(["whippet"]);
  });

  test("is not changed by what the working directory holds for the runtime inside it", () => {
    const { directory, program } = aloneInDirectory();
    writeFileSync(join(directory, "bunfig.toml"), 'preload = ["./preload.ts"]\n');
    writeFileSync(join(directory, "preload.ts"), "process.exit(99);\n");
    writeFileSync(join(directory, "package.json"), "{ broken");
    expect(run(directory, program, "--version").stdout).toBe(`whippet ${packageJson.version}\n`);
    expect(run(directory, program, "--no-such-option").exitCode).toBe(2);
  });

  test("serves every transport with two shards, keeps its data over a kill, and stops in good order", async () => {
    const { program } = aloneInDirectory();
    const server = await servers.start(serverOptions(program));
    const root = await server.connect();
    await root.createStream("orders");
    await root.createTopic("orders", { name: "eu", partitionsCount: 2 });
    await send(root, "a", "b");
    expect(await poll(root)).toEqual(["a", "b"]);
    await root.close();

    const webSocket = await server.connect({ transport: "websocket", port: server.portOf("websocket") });
    await send(webSocket, "c");
    await webSocket.close();

    const http = new HttpTestClient(server);
    expect(await http.request("GET", "/ping")).toMatchObject({ status: 200, text: "pong" });
    const page = await http.request("GET", "/ui/streams");
    expect(page.text).toStartWith("<!doctype html>");
    const script = /src="(\/ui\/assets\/main-[^"]+\.js)"/.exec(page.text)?.[1] ?? "";
    for (const encoding of ["br", "gzip", ""]) {
      const headers = { "accept-encoding": encoding };
      const answer = await fetch(`${http.address}${script}`, { headers, decompress: false });
      expect([answer.status, answer.headers.get("content-encoding") ?? ""]).toEqual([200, encoding]);
    }
    const authenticated = await HttpTestClient.login(server);
    expect(await authenticated.request("GET", "/streams/orders")).toMatchObject({
      status: 200,
      json: { name: "orders", messages_count: 3 },
    });

    await withQuic(server, async (quic, place) => {
      await quic.open("session", place);
      await quic.login("session");
      expect((await quic.request("session", CommandCode.getStreams)).status).toBe(0);
    });

    await server.kill();
    await server.restart();
    const again = await server.connect();
    expect(await poll(again)).toEqual(["a", "b", "c"]);
    await again.close();
    expect((await server.stop()).stdout).toContain("everything is flushed and synced");
  });

  test("unpacks the QUIC engine once, and again when it is damaged", async () => {
    const { program } = aloneInDirectory();
    const server = await servers.start(serverOptions(program));
    const directory = join(cache, "whippet");
    const names = readdirSync(directory).sort();
    expect(names).toHaveLength(2);
    const engine = join(directory, names[0]!);
    const { ino, size } = statSync(engine);
    expect(size).toBe(Bun.file(findSidecarProgram().runtimePath).size);
    await server.restart();
    expect(statSync(engine).ino).toBe(ino);

    await server.stop();
    truncateSync(engine, size - 1);
    await server.restart();
    expect(statSync(engine).size).toBe(size);
    await withQuic(server, async (quic, place) => {
      await quic.open("ping", place);
      expect(await quic.exchange("ping", encodeRequestFrame(CommandCode.ping, new Uint8Array(0)))).toHaveLength(8);
    });
    await server.stop();
    expect(readdirSync(directory).sort()).toEqual(names);
  });

  test("unpacks nothing where QUIC is off", async () => {
    const { program } = aloneInDirectory();
    const empty = servers.makeDirectory();
    const server = await servers.start(serverOptions(program, { XDG_CACHE_HOME: empty, IGGY_QUIC_ENABLED: "false" }));
    await server.stop();
    expect(readdirSync(empty)).toEqual([]);
  });
});

test("built where the QUIC engine is not installed, it says so and serves the other transports", async () => {
  const program = join(servers.makeDirectory(), "whippet");
  const { withoutQuic } = await buildExecutable(program, () => findSidecarProgram("sunos", "sparc"));
  expect(withoutQuic).toContain("not installed");
  const server = await servers.start(serverOptions(program));
  await server.logged("this executable was built without the QUIC engine");
  expect(() => server.portOf("quic")).toThrow();
  const root = await server.connect();
  await root.ping();
  await root.close();
  await server.stop();
});

test("exports with OpenTelemetry, by a file of its own inside", async () => {
  await using collector = Collector.http();
  const env = {
    ...telemetryTo(collector, "http"),
    IGGY_QUIC_ENABLED: "false",
  };
  const server = await servers.start(serverOptions(aloneInDirectory().program, env));
  const client = await server.connect();
  await client.createStream("exported");
  await client.close();
  await server.stop();
  expect(collector.spans.map(({ name }) => name)).toContain("trace_create_stream");
  expect(collector.logs.map(({ body }) => body)).toContain("created a stream");
});
