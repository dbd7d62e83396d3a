import { expect, setDefaultTimeout, test } from "bun:test";
import { useServers } from "../support/server.ts";

const servers = useServers();
setDefaultTimeout(120_000);

test("updateTopic changes what is given and nothing else", async () => {
  const server = await servers.start();
  const client = await server.connect();
  await client.createStream("shop");
  const made = { compression: "gzip", messageExpiryMicros: 3_600_000_000n, maxTopicSizeBytes: 2_000_000_000n } as const;
  await client.createTopic("shop", { name: "orders", partitionsCount: 1, ...made });
  await client.updateTopic("shop", "orders", { name: "renamed" });
  expect(await client.getTopic("shop", "renamed")).toMatchObject(made);
  await client.updateTopic("shop", "renamed", { messageExpiryMicros: 7_200_000_000n });
  const changed = { ...made, name: "renamed", messageExpiryMicros: 7_200_000_000n };
  expect(await client.getTopic("shop", "renamed")).toMatchObject(changed);
  const all = {
    name: "new",
    compression: "none",
    messageExpiryMicros: 1_000_000n,
    maxTopicSizeBytes: 3_000_000_000n,
  } as const;
  await client.updateTopic("shop", "renamed", { ...all, replicationFactor: 1 });
  expect(await client.getTopic("shop", "new")).toMatchObject(all);
  await expect(client.updateTopic("shop", "none", { name: "x" })).rejects.toMatchObject({ code: 2010 });
  await expect(client.updateTopic("none", "none", { name: "x" })).rejects.toMatchObject({ code: 1009 });
  client.close();
  await server.stop();
});
