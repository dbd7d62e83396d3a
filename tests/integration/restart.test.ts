import { expect, test } from "bun:test";
import { useServers } from "../support/server.ts";

const servers = useServers();
test("x", async () => {
  const s = await servers.start({ shards: 2 });
  const c = await s.connect();
  console.log(await c.getMe());
  await c.createStream("a");
  c.close();
  console.log(await s.stop());
  await s.restart();
  const d = await s.connect();
  expect((await d.getStreams()).length).toBe(1);
  await s.kill();
  console.log(await servers.run({ arguments: ["--version"] }));
}, 30000);
