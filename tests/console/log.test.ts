// The log of the broker in the console: to whom, from where, and as it is written.
import { expect, setDefaultTimeout, test } from "bun:test";
import type { LogReply, LogTail } from "../../src/protocol/console/log.ts";
import { noGlobalRights } from "../support/permissions.ts";
import { eventually } from "../support/process-facts.ts";
import { useServers } from "../support/server.ts";
import { ConsoleTestClient } from "./console-test-client.ts";

setDefaultTimeout(120_000);

const servers = useServers();

async function logOf(client: ConsoleTestClient, query = ""): Promise<LogReply> {
  const { status, text, json } = await client.request("GET", `/ui/api/log${query}`);
  if (status !== 200) throw new Error(`no log: ${text}`);
  return json as LogReply;
}

/** The first frame of channel 1. */
function follow(client: ConsoleTestClient, args: object) {
  const options: Bun.WebSocketOptions = { headers: { origin: client.origin, cookie: client.cookie } };
  const socket = new WebSocket(`${client.origin.replace("http", "ws")}/ui/live`, options);
  const frames: { readonly type: string; readonly value?: LogTail; readonly error?: { readonly code: number } }[] = [];
  socket.onopen = () => socket.send(JSON.stringify({ op: "open", id: 1, channel: "log", args }));
  socket.onmessage = ({ data }: MessageEvent<string>) => frames.push(JSON.parse(data));
  return { frames, close: () => socket.close() };
}

test("the log is read newest first, by level, part and words, on from any line, and followed", async () => {
  const server = await servers.start({ env: { IGGY_SYSTEM_LOGGING_SYSINFO_PRINT_INTERVAL: "0" } });
  const root = await server.connect();
  await root.createStream("orders");
  const client = await ConsoleTestClient.signIn(server);
  const all = await logOf(client, "?level=trace&limit=1000");
  expect(all.enabled).toBe(true);
  const starts = all.lines.at(-1)!;
  expect(starts).toMatchObject({ level: "info", target: "server", text: "whippet starts" });
  expect(starts.fields.pid).toMatch(/^\d+$/);
  expect(all.before).toBeUndefined();

  // In parts it is the same.
  const few = await logOf(client, "?level=trace&limit=3");
  const next = await logOf(client, `?level=trace&limit=1000&before=${few.before}`);
  const places = [...few.lines, ...next.lines].map(({ at }) => at);
  expect(places.slice(-all.lines.length)).toEqual(all.lines.map(({ at }) => at));
  const [, , third] = all.lines;
  expect((await logOf(client, `?level=trace&at=${third!.at}`)).lines[0]).toEqual(third!);

  const audit = await logOf(client, "?target=audit&q=CREATESTREAM");
  expect(audit.lines.length).toBeGreaterThan(0);
  expect(audit.lines.every(({ target }) => target === "audit")).toBe(true);
  expect((await logOf(client, "?level=error")).lines).toEqual([]);

  const live = follow(client, { level: "info", target: "audit", q: "", from: all.end });
  await root.createStream("payments");
  const lines = await eventually(
    "the new line",
    () => live.frames.flatMap(({ value }) => value?.lines ?? []),
    (found) => found.some((line) => JSON.stringify(line).includes("payments")),
  );
  expect(lines.every(({ target }) => target === "audit")).toBe(true);
  live.close();

  for (const query of ["?level=loud", "?limit=0"]) {
    expect([query, (await client.request("GET", `/ui/api/log${query}`)).status]).toEqual([query, 400]);
  }
  for (const query of ["?at=1.1", "?before=rubbish"]) {
    expect([query, (await client.request("GET", `/ui/api/log${query}`)).status]).toEqual([query, 404]);
  }

  // Who may not take a snapshot sees no line of it.
  await root.createUser({ username: "ann", password: "secret", permissions: { global: noGlobalRights, streams: [] } });
  const ann = await ConsoleTestClient.signIn(server, { username: "ann", password: "secret" });
  expect((await ann.request("GET", "/ui/api/log")).status).toBe(403);
  expect((await new ConsoleTestClient(server).request("GET", "/ui/api/log")).status).toBe(401);
  const refused = follow(ann, { level: "info", target: "", q: "" });
  const end = await eventually(
    "an end",
    () => refused.frames[0],
    (frame) => frame !== undefined,
  );
  expect(end).toMatchObject({ type: "end", error: { code: 41 } });
  refused.close();
  root.close();
});

test("without log files it says so", async () => {
  const server = await servers.start({ env: { IGGY_SYSTEM_LOGGING_FILE_ENABLED: "false" } });
  const client = await ConsoleTestClient.signIn(server);
  expect(await logOf(client)).toEqual({ enabled: false, lines: [], scannedBytes: 0 });
  const live = follow(client, { level: "info", target: "", q: "" });
  const end = await eventually(
    "an end",
    () => live.frames[0],
    (frame) => frame !== undefined,
  );
  expect(end).toMatchObject({ type: "end", error: { code: 5 } });
  live.close();
});
