// Traps 55 and 56 of spec SB 13: who counts as alive, and what becomes of who does not.
import { expect, test } from "bun:test";
import { nameId } from "../../src/protocol/identifier.ts";
import { Caller } from "../commands/caller.ts";
import { eventually } from "../support/process-facts.ts";
import { useServers } from "../support/server.ts";

const servers = useServers();
const target = { stream: nameId("orders"), topic: nameId("eu") };
const group = nameId("billing");

test("only pings keep a client alive; a stale one leaves its groups and goes on until it asks for itself", async () => {
  const server = await servers.start({ env: { IGGY_HEARTBEAT_ENABLED: "true", IGGY_HEARTBEAT_INTERVAL: "3 s" } });
  const [watcher, sender, member] = await Promise.all([0, 1, 2].map(() => Caller.withPassword(server, "iggy", "iggy")));
  if (!watcher || !sender || !member) throw new Error("three clients were asked for");
  await watcher.value("createStream", { name: "orders" });
  const settings = { compressionCode: 1, messageExpiryMicros: 0n, maxTopicSizeBytes: 0n, replicationFactor: 1 };
  await watcher.value("createTopic", { stream: target.stream, partitionsCount: 1, ...settings, name: "eu" });
  await watcher.value("createConsumerGroup", { ...target, name: "billing" });
  await member.value("joinConsumerGroup", { ...target, group });
  const own = (await watcher.content("getMe", undefined)).clientId;
  const send = () =>
    sender.status("sendMessages", {
      ...target,
      partitioning: { kind: "balanced" },
      messages: [{ payload: new Uint8Array(1) }],
    });

  await eventually(
    "the others are dropped",
    async () => {
      await watcher.value("ping", undefined);
      expect(await send()).toBe(0);
      return (await watcher.content("getClients", undefined)).map(({ clientId }) => clientId);
    },
    (clients) => clients.length === 1 && clients[0] === own,
  );
  await eventually(
    "the group is empty",
    async () => (await watcher.content("getConsumerGroup", { ...target, group })).membersCount,
    (count) => count === 0,
  );

  expect(await send()).toBe(0);
  expect(await sender.status("getMe", undefined)).toBe(100);
  await sender.wire.ended();
  const consumer = { kind: "group", id: group } as const;
  expect(await member.status("storeConsumerOffset", { ...target, consumer, partitionId: 0, offset: 0n })).toBe(30);
  await member.wire.ended();
  await watcher.value("ping", undefined);
  expect((await watcher.content("getMe", undefined)).clientId).toBe(own);
  watcher.close();
  await server.stop();
  expect(server.log).toContain("dropped clients that do not ping");
  expect(server.log).not.toMatch(/ ERROR /);
}, 120_000);
