// Traps of spec SB 13 about what must not spread: a handler that throws, an address that leads clients astray.
import { afterAll, beforeAll, describe, expect, spyOn, test } from "bun:test";
import { loadConfig } from "../../src/config/load.ts";
import { createLogger } from "../../src/observability/log.ts";
import { makeClusterMetadata } from "../../src/process/cluster.ts";
import { CommandCode } from "../../src/protocol/codes.ts";
import { errorCodes } from "../../src/protocol/errors.ts";
import { BusyPoll } from "../../src/transport/busy-poll.ts";
import { TcpListener } from "../../src/transport/tcp/listener.ts";
import { makeContext } from "../server/setup.ts";
import { startShards, type TestShards } from "../shard/setup.ts";
import { WireClient } from "../support/wire-client.ts";

describe("a handler that throws (trap 72)", () => {
  let shards: TestShards;
  let listener: TcpListener;
  const lines: string[] = [];
  let context: ReturnType<typeof makeContext>;
  let port = 0;

  beforeAll(() => {
    shards = startShards();
    const [own] = shards.shards;
    context = makeContext(own);
    listener = new TcpListener({
      context,
      frameMemory: own.frames,
      frames: "auto",
      requestBytesMax: 80 * 1024 * 1024,
      largeSendsMax: 8,
      busyPoll: new BusyPoll(),
      canMove: false,
      trustedProxies: [],
      handshakeTimeoutMs: 10_000,
      socketOptions: undefined,
      tls: undefined,
      log: createLogger({ filter: "info", write: (line) => void lines.push(line) }),
    });
    port = listener.listen({ host: "127.0.0.1", port: 0 });
  });

  afterAll(async () => {
    listener.stop();
    listener.terminate();
    await shards.close();
  });

  test("ends its request with an error; the connection and the others go on", async () => {
    const [client, other] = await Promise.all([0, 1].map(() => WireClient.connect({ host: "127.0.0.1", port })));
    if (!client || !other) throw new Error("two clients were asked for");
    spyOn(context.sessions, "pinged").mockImplementationOnce(() => {
      throw new TypeError("a bug of our own");
    });
    const ping = client.frame(CommandCode.ping);
    client.write(ping, ping);
    const statuses = (await client.receiveMany(2)).map(({ status }) => status);
    expect(statuses).toEqual([errorCodes.Error, 0]);
    expect((await other.request(CommandCode.ping)).status).toBe(0);
    expect(lines.filter((line) => line.includes("a bug of our own"))).toHaveLength(1);
    client.close();
    other.close();
  });
});

describe("cluster metadata (trap 75)", () => {
  const metadataOf = (environment: Record<string, string>) => {
    const { config } = loadConfig({ environment, workingDirectory: "/" });
    return makeClusterMetadata(config, { tcp: 4242, websocket: 0, quic: 0, http: 0 }, false);
  };

  test("of a single server names itself the leader, with the port that was bound", () => {
    const { nodes } = metadataOf({ IGGY_TCP_ADDRESS: "127.0.0.1:0" });
    expect(nodes).toHaveLength(1);
    expect(nodes[0]).toMatchObject({ ip: "127.0.0.1", tcpPort: 4242, role: "leader", status: "healthy" });
  });

  test("of a cluster has one leader, the sample node of the default configuration is not named unless it is on", () => {
    expect(metadataOf({}).nodes).toHaveLength(1);
    const { nodes } = metadataOf({ IGGY_CLUSTER_ENABLED: "true" });
    expect(nodes.map(({ role }) => role)).toEqual(["leader", "follower"]);
    expect(nodes[0]?.tcpPort).toBe(4242);
  });
});
