// Many connections that are logged in and do nothing: all are kept, all are answered, and each costs little memory.
// IDLE_CONNECTIONS and IDLE_QUIC_CONNECTIONS set how many; with either the figures are printed. Each connection takes two
// descriptors, one here and one in the server (`ulimit -n`).
import { afterAll, describe, expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Client } from "../../src/client/index.ts";
import { CommandCode } from "../../src/protocol/codes.ts";
import { Caller, requestBytes } from "../commands/caller.ts";
import { descriptorCount, eventually, growsLessThan, residentBytes } from "../support/process-facts.ts";
import { type TestServer, useServers } from "../support/server.ts";
import { WireClient } from "../support/wire-client.ts";
import { QuicClient } from "./quic-client.ts";

const servers = useServers();
const isAsked = process.env.IDLE_CONNECTIONS !== undefined || process.env.IDLE_QUIC_CONNECTIONS !== undefined;
const count = Number(process.env.IDLE_CONNECTIONS ?? 500);
const quicCount = Number(process.env.IDLE_QUIC_CONNECTIONS ?? 50);
const timeoutMs = 120_000 + 20 * count + 200 * quicCount;
/** Opened at the same time; what a listener's queue takes. */
const atOnce = 50;
/** Also before the first look: the memory that a login's Argon2id took goes back a little later. */
const idleMs = 2000;
const kibibyte = 1024;
/**
 * With what the first connections of a process cost once, and what the runtime has not collected yet; several thousand cost a
 * fraction of it each.
 */
const bytesPerConnectionMax = { tcp: 48 * kibibyte, websocket: 48 * kibibyte, quic: 384 * kibibyte };

let quicClient: QuicClient | undefined;
afterAll(() => quicClient?.stop());

/** A login with it costs no Argon2id, which would take most of the time. */
async function tokenLogin(server: TestServer): Promise<Uint8Array> {
  const root = await Caller.withPassword(server, "iggy", "iggy");
  const { token } = await root.content("createPersonalAccessToken", { name: "idle", expiryMicros: 0n });
  root.close();
  return requestBytes("loginWithPersonalAccessToken", { token });
}

async function inBatches(total: number, open: (index: number) => Promise<void>): Promise<void> {
  for (let first = 0; first < total; first += atOnce) {
    const batch = Array.from({ length: Math.min(atOnce, total - first) }, (_, index) => open(first + index));
    await Promise.all(batch);
  }
}

function childrenOf(parent: number): number[] {
  return readdirSync("/proc")
    .map(Number)
    .filter((pid) => {
      if (!(pid > 0)) return false;
      try {
        return Number(/^PPid:\s+(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) === parent;
      } catch {
        return false; // it has just ended
      }
    });
}

/** Of the server and, with QUIC, of its sidecar. */
function memoryOf(server: TestServer): number {
  return [server.pid, ...childrenOf(server.pid)].reduce((sum, pid) => sum + residentBytes(pid), 0);
}

async function expectLittleEach(
  transport: keyof typeof bytesPerConnectionMax,
  before: number,
  server: TestServer,
  connections: number,
): Promise<void> {
  await growsLessThan(bytesPerConnectionMax[transport] * connections, () => memoryOf(server), before);
  const each = (memoryOf(server) - before) / connections;
  if (isAsked) console.log(`${transport}: ${connections} idle connections, ${(each / kibibyte).toFixed(1)} KiB each`);
}

async function clientsCount(root: Client): Promise<number> {
  return (await root.getClients()).length;
}

describe.each(["tcp", "websocket"] as const)("idle connections over %s", (transport) => {
  test(
    "are all kept and answered, cost little memory each, and leave nothing behind",
    async () => {
      const server = await servers.start({ shards: 2 });
      const root = await server.connect();
      const login = await tokenLogin(server);
      const place = { host: server.host, port: server.portOf(transport) };
      const clients: WireClient[] = [];
      const open = async () => {
        const client = await WireClient.connect(place, "sdk", { transport });
        clients.push(client);
        client.write(client.frame(CommandCode.loginWithPersonalAccessToken, login));
        expect((await client.receive())?.status).toBe(0);
        await ping(client);
      };
      const ping = async (client: WireClient) => {
        client.write(client.frame(CommandCode.ping));
        expect((await client.receive())?.status).toBe(0);
      };
      // The first ones make the process load and compile what every connection uses.
      await inBatches(atOnce, open);
      await Bun.sleep(idleMs);
      const before = memoryOf(server);
      const descriptorsBefore = descriptorCount(server.pid);
      await inBatches(count, open);
      expect(await clientsCount(root)).toBe(count + atOnce + 1);
      await Bun.sleep(idleMs);
      await expectLittleEach(transport, before, server, count);
      for (const client of clients) await ping(client);
      for (const client of clients) client.close();
      await eventually(
        "only the root client is left",
        () => clientsCount(root),
        (clientsLeft) => clientsLeft === 1,
      );
      await eventually(
        "no descriptor is left",
        () => descriptorCount(server.pid),
        (descriptors) => descriptors <= descriptorsBefore,
      );
      root.close();
      await server.stop();
      expect(server.log).not.toMatch(/ERROR/);
    },
    timeoutMs,
  );
});

test(
  "idle connections over quic are all kept and answered, and cost little memory each in the server and the sidecar",
  async () => {
    const server = await servers.start({
      shards: 2,
      env: { IGGY_QUIC_ENABLED: "true", IGGY_QUIC_MAX_IDLE_TIMEOUT: "60 s" },
    });
    const root = await server.connect();
    const login = await tokenLogin(server);
    const certPem = readFileSync(join(server.dataPath, "certificates/cert.pem"), "utf8");
    const client = new QuicClient(servers.makeDirectory());
    quicClient = client;
    const ping = async (name: string) => expect((await client.request(name, CommandCode.ping)).status).toBe(0);
    const names: string[] = [];
    const open = async () => {
      const name = `idle-${names.length}`;
      names.push(name);
      await client.open(name, { port: server.portOf("quic"), certPem, idleTimeoutMs: 60_000 });
      expect((await client.request(name, CommandCode.loginWithPersonalAccessToken, login)).status).toBe(0);
      await ping(name);
    };
    await inBatches(10, open);
    await Bun.sleep(idleMs);
    const before = memoryOf(server);
    await inBatches(quicCount, open);
    expect(await clientsCount(root)).toBe(quicCount + 11);
    await Bun.sleep(idleMs);
    await expectLittleEach("quic", before, server, quicCount);
    for (const name of names) await ping(name);
    for (const name of names) await client.close(name);
    await eventually(
      "only the root client is left",
      () => clientsCount(root),
      (clientsLeft) => clientsLeft === 1,
    );
    root.close();
    await server.stop();
    expect(server.log).not.toMatch(/ERROR/);
  },
  timeoutMs,
);
