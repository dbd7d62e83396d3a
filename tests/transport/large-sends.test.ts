// How many sends that have no place in the arena one connection has under way: the next waits outside.
import { expect, spyOn, test } from "bun:test";
import { createLogger } from "../../src/observability/log.ts";
import { CommandCode } from "../../src/protocol/codes.ts";
import { encodeSendMessages } from "../../src/protocol/message/send-messages.ts";
import { arenaFrameBytesMax } from "../../src/shard/index.ts";
import { BusyPoll } from "../../src/transport/busy-poll.ts";
import { TcpListener } from "../../src/transport/tcp/listener.ts";
import { makeContext } from "../server/setup.ts";
import { startShards } from "../shard/setup.ts";
import { eventually } from "../support/process-facts.ts";
import { WireClient } from "../support/wire-client.ts";

const sendsCount = 4;
const named = (value: string) => ({ kind: "string", value }) as const;
const settings = { compression: 1, messageExpiryMicros: 0n, maxTopicSizeBytes: 0n, replicationFactor: 1 } as const;

test.each([1, 2, 3])("%d at a time", async (largeSendsMax) => {
  const shards = startShards();
  const [{ shard, frames }] = shards.shards;
  const context = makeContext(shards.shards[0]);
  await shard.control({ kind: "createStream", request: { name: "orders" } });
  const request = { stream: named("orders"), name: "eu", partitionsCount: 1, ...settings };
  await shard.control({ kind: "createTopic", request });
  // Everybody is root here.
  const open = context.sessions.open.bind(context.sessions);
  spyOn(context.sessions, "open").mockImplementation((...client) => {
    const session = open(...client);
    context.sessions.logIn(session, shard.state.users.byId.get(0)!);
    return session;
  });
  // The disk takes its time.
  const appends: (() => void)[] = [];
  spyOn(shard, "append").mockImplementation(() => new Promise((resolve) => appends.push(resolve)));
  const listener = new TcpListener({
    ...{ context, frameMemory: frames, frames: "sdk", requestBytesMax: 80 * 1024 * 1024, largeSendsMax },
    ...{ busyPoll: new BusyPoll(), canMove: false, trustedProxies: [], handshakeTimeoutMs: 10_000 },
    ...{ socketOptions: undefined, tls: undefined, log: createLogger({ filter: "off" }) },
  });
  const port = listener.listen({ host: "127.0.0.1", port: 0 });
  const client = await WireClient.connect({ host: "127.0.0.1", port });
  const messages = [{ payload: new Uint8Array(arenaFrameBytesMax) }];
  const partitioning = { kind: "partition", partitionId: 0 } as const;
  const send = encodeSendMessages({ stream: named("orders"), topic: named("eu"), partitioning, messages });
  const allocate = spyOn(frames, "allocate");
  client.write(...Array.from({ length: sendsCount }, () => client.frame(CommandCode.sendMessages, send)));
  for (let done = 0; done < sendsCount; done++) {
    const expected = Math.min(sendsCount, done + largeSendsMax);
    await eventually(
      "sends that have arrived",
      () => appends.length,
      (count) => count >= expected,
    );
    await Bun.sleep(50); // one that does not wait would have its memory by now
    expect(allocate).toHaveBeenCalledTimes(expected);
    appends[done]!();
  }
  expect((await client.receiveMany(sendsCount)).map(({ status }) => status)).toEqual([0, 0, 0, 0]);
  client.close();
  listener.stop();
  listener.terminate();
  await shards.close();
});
