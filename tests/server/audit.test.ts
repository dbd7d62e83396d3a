// The audit log: who changed what, who was refused, never a secret.
import { expect, test } from "bun:test";
import { useServers } from "../support/server.ts";
import { HttpTestClient } from "../transport/http-client.ts";

const servers = useServers();

/** The lines of the audit log without their time, sorted: those of two shards may come in any order. */
function auditLines(log: string): string[] {
  return log
    .split("\n")
    .filter((line) => line.includes(" audit "))
    .map((line) => line.replace(/^\S+\s+/, "").replace(/client=\d+ address=127\.0\.0\.1:\d+/, "client=N address=A"))
    .toSorted();
}

test("every change is a line with its author; reads, messages and refused commands are none", async () => {
  const server = await servers.start({ shards: 2 });
  const root = await server.connect();
  await root.createStream("orders");
  await root.createTopic("orders", { name: "eu", partitionsCount: 2 });
  const http = await HttpTestClient.login(server);
  await http.request("POST", "/users", {
    username: "ann",
    password: "secret-of-ann",
    status: "active",
    permissions: null,
  });
  await root.sendMessages({
    ...{ stream: "orders", topic: "eu", messages: [{ payload: new Uint8Array(1) }] },
    partitioning: { kind: "partition", partitionId: 0 },
  });
  await root.getStreams();
  const ann = await server.connect({ username: "ann", password: "secret-of-ann" });
  await expect(ann.deleteStream("orders")).rejects.toThrow();
  await http.request("POST", "/streams", { name: "made over\nHTTP" });
  await http.request("DELETE", "/users/ann");
  await server.logged(" audit ", 5);
  expect(auditLines(server.log)).toEqual([
    'INFO audit created a stream stream="made over\\nHTTP" by=iggy transport=http',
    "INFO audit created a stream stream=orders by=iggy client=N address=A transport=tcp",
    "INFO audit created a topic stream=orders topic=eu partitions=2 by=iggy client=N address=A transport=tcp",
    "INFO audit created a user user=ann by=iggy transport=http",
    "INFO audit deleted a user user=ann by=iggy transport=http",
  ]);
  expect(server.log).not.toContain("secret-of-ann");
  await root.close();
});

test("a login that is refused is a warning with the address, and nothing of what was tried", async () => {
  const server = await servers.start({});
  await expect(server.connect({ username: "iggy", password: "wrong-password" })).rejects.toThrow();
  await server.logged(" audit ");
  expect(auditLines(server.log).join()).toMatch(
    /^WARN audit refused a login address=127\.0\.0\.1:\d+ transport=tcp error=InvalidCredentials$/,
  );
  expect(server.log).not.toContain("wrong-password");
});

test("where metadata is encrypted, names are hidden: numbers are shown", async () => {
  const env = {
    IGGY_SYSTEM_ENCRYPTION_ENABLED: "true",
    IGGY_SYSTEM_ENCRYPTION_KEY: Buffer.alloc(32, 7).toString("base64"),
  };
  const server = await servers.start({ env });
  const root = await server.connect();
  await root.createStream("orders");
  await root.createTopic(0, { name: "eu", partitionsCount: 2 });
  await root.close();
  await server.logged(" audit ", 2);
  expect(auditLines(server.log)).toEqual([
    "INFO audit created a stream stream=****** by=0 client=N address=A transport=tcp",
    "INFO audit created a topic stream=0 topic=****** partitions=2 by=0 client=N address=A transport=tcp",
  ]);
});
