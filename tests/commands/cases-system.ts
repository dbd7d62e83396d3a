import { expect } from "bun:test";
import { isCount, isPositive, isRecent, isText } from "./expected.ts";
import type { Stage, Table } from "./table.ts";

const isPort = (port: number) => isCount(port) && port < 65_536;

async function clientIdOf({ caller }: Stage): Promise<number> {
  return (await caller.content("getMe", undefined)).clientId;
}

/** The header that the caller must have in the list, as root. */
function isOwnHeader({ caller }: Stage) {
  return (client: { readonly address: string; readonly userId: number | undefined; readonly transport: string }) =>
    client.address === caller.wire.address && client.userId === 0 && client.transport === "tcp";
}

export const systemCases: Pick<
  Table,
  "ping" | "getStats" | "getSnapshot" | "getClusterMetadata" | "getMe" | "getClient" | "getClients"
> = {
  ping: {
    begins: "none",
    ordinary: { what: "an empty reply", request: () => undefined },
    violations: [],
  },

  getStats: {
    begins: "none",
    ordinary: {
      what: "every figure",
      async request({ world, scene }) {
        await world.send(scene, 0, "counted");
      },
      reply: ({ world }) => ({
        processId: world.server.pid,
        cpuUsagePercent: (percent) => percent >= 0,
        totalCpuUsagePercent: (percent) => percent >= 0 && percent <= 100,
        memoryUsageBytes: isPositive,
        totalMemoryBytes: isPositive,
        availableMemoryBytes: isPositive,
        runTimeMicros: isPositive,
        startTimeMicros: isRecent,
        readBytes: (bytes) => bytes >= 0n,
        writtenBytes: isPositive,
        messagesSizeBytes: isPositive,
        streamsCount: isPositive,
        topicsCount: isPositive,
        partitionsCount: isPositive,
        segmentsCount: isPositive,
        messagesCount: isPositive,
        clientsCount: isPositive,
        consumerGroupsCount: isPositive,
        hostname: isText,
        osName: isText,
        osVersion: isText,
        kernelVersion: isText,
        serverVersion: "0.8.0",
        serverSemver: 8000,
        cacheMetrics: [],
        threadsCount: isPositive,
        freeDiskSpaceBytes: isPositive,
        totalDiskSpaceBytes: isPositive,
      }),
    },
    violations: [{ error: 41, what: "no right", by: "guest", request: () => undefined }],
  },

  getSnapshot: {
    begins: "number",
    ordinary: {
      what: "an archive",
      request: () => ({ compressionCode: 2, typeCodes: [6] }),
      reply: () => (archive) => archive.subarray(0, 4).toHex() === "504b0304",
    },
    violations: [
      { error: 3, what: "unknown compression", by: "guest", request: () => ({ compressionCode: 0, typeCodes: [6] }) },
      { error: 3, what: "compression 7", by: "guest", request: () => ({ compressionCode: 7, typeCodes: [6] }) },
      { error: 3, what: "unknown type", by: "guest", request: () => ({ compressionCode: 1, typeCodes: [6, 7] }) },
      { error: 3, what: "all with another", by: "guest", request: () => ({ compressionCode: 1, typeCodes: [1, 100] }) },
      { error: 41, what: "no right", by: "guest", request: () => ({ compressionCode: 1, typeCodes: [6] }) },
    ],
  },

  getClusterMetadata: {
    begins: "none",
    ordinary: {
      what: "this server alone",
      request: () => undefined,
      reply: ({ world }) => ({
        name: "single-node",
        nodes: [
          {
            name: "iggy-node",
            ip: "127.0.0.1",
            tcpPort: world.server.port,
            quicPort: isPort,
            httpPort: isPort,
            websocketPort: isPort,
            role: "leader",
            status: "healthy",
          },
        ],
      }),
    },
    violations: [],
  },

  getMe: {
    begins: "none",
    ordinary: {
      what: "the own connection",
      request: () => undefined,
      reply: ({ caller }) => ({
        clientId: isPositive,
        userId: 0,
        transport: "tcp",
        address: caller.wire.address,
        consumerGroupsCount: 0,
        consumerGroups: [],
      }),
    },
    more: [
      {
        what: "the groups that were joined",
        by: "member",
        request: () => undefined,
        reply: ({ caller, scene: { streamId, topicId, groupId } }) => ({
          clientId: isPositive,
          userId: 0,
          transport: "tcp",
          address: caller.wire.address,
          consumerGroupsCount: 1,
          consumerGroups: [{ streamId, topicId, groupId }],
        }),
      },
    ],
    violations: [
      { error: 100, what: "the user was deleted", by: "ghost", request: () => undefined },
      { error: 100, what: "the heartbeat was missed", by: "stale", request: () => undefined },
    ],
  },

  getClient: {
    begins: "number",
    ordinary: {
      what: "the client with that number",
      request: async (stage) => ({ clientId: await clientIdOf({ ...stage, caller: stage.world.root }) }),
      reply: ({ world }, { clientId }) => ({
        clientId,
        userId: 0,
        transport: "tcp",
        address: world.root.wire.address,
        consumerGroupsCount: 0,
        consumerGroups: [],
      }),
    },
    more: [
      { what: "nothing for an unknown number", request: () => ({ clientId: 4_000_000_000 }) },
      {
        what: "its groups",
        by: "member",
        request: async (stage) => ({ clientId: await clientIdOf(stage) }),
        reply: ({ caller, scene: { streamId, topicId, groupId } }, { clientId }) => ({
          clientId,
          userId: 0,
          transport: "tcp",
          address: caller.wire.address,
          consumerGroupsCount: 1,
          consumerGroups: [{ streamId, topicId, groupId }],
        }),
      },
    ],
    violations: [
      { error: 41, what: "no right", by: "guest", request: () => ({ clientId: 0 }) },
      { error: 101, what: "client 0", request: () => ({ clientId: 0 }) },
    ],
  },

  getClients: {
    begins: "none",
    ordinary: {
      what: "every connection once",
      request: () => undefined,
      reply: (stage) => (clients) => {
        const isOwn = isOwnHeader({ ...stage, caller: stage.world.root });
        const ids = clients.map(({ clientId }) => clientId);
        return clients.filter(isOwn).length === 1 && new Set(ids).size === ids.length;
      },
    },
    more: [
      {
        what: "users and group counts",
        by: "member",
        request: () => undefined,
        reply: (stage) => (clients) => clients.find(isOwnHeader(stage))?.consumerGroupsCount === 1,
      },
      {
        what: "connections without login, too",
        request: () => undefined,
        async after({ world, caller }) {
          const anonymous = await world.connect();
          // Connected is not accepted: an answer is.
          await anonymous.value("ping", undefined);
          const clients = await caller.content("getClients", undefined);
          const listed = clients.find(({ address }) => address === anonymous.wire.address);
          expect(listed).toMatchObject({ userId: undefined, consumerGroupsCount: 0 });
          expect(await caller.value("getClient", { clientId: listed?.clientId ?? 0 })).toMatchObject({
            address: anonymous.wire.address,
            userId: undefined,
          });
        },
        reply: () => (clients) => clients.length > 0,
      },
    ],
    violations: [{ error: 41, what: "no right", by: "guest", request: () => undefined }],
  },
};
