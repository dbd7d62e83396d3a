// The audit log: who changed what, who was refused, never a secret.
import { expect, setDefaultTimeout, test } from "bun:test";
import { codeOf } from "../support/error-code.ts";
import { eventually } from "../support/process-facts.ts";
import { useServers } from "../support/server.ts";
import { HttpTestClient } from "../transport/http-client.ts";

const servers = useServers();
setDefaultTimeout(120_000);

/** The lines of the audit log without their time, sorted: those of two shards may come in any order. */
function auditLines(log: string): string[] {
  return log
    .split("\n")
    .filter((line) => line.includes(" audit "))
    .map((line) =>
      line
        .replace(/^\S+\s+/, "")
        .replace(/client=\d+/, "client=N")
        .replace(/address=127\.0\.0\.1:\d+/, "address=A"),
    )
    .toSorted();
}

test("every change is a line with its author, the right and the target; reads and messages are none", async () => {
  const server = await servers.start({ shards: 2 });
  const root = await server.connect();
  await root.createStream("orders");
  await root.createTopic("orders", { name: "eu", partitionsCount: 2 });
  await root.createConsumerGroup("orders", "eu", "workers");
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
  await http.request("POST", "/streams", { name: "made over\nHTTP" });
  await http.request("DELETE", "/users/ann");
  await http.request("DELETE", "/users/logout");
  const other = await HttpTestClient.login(server);
  expect((await other.request("POST", "/users/refresh-token", { token: other.token })).status).toBe(200);
  await root.logout();
  await server.logged(" audit ", 12);
  expect(auditLines(server.log)).toEqual([
    "INFO audit created a consumer group stream=orders topic=eu group=workers right=consumerGroup by=iggy client=N address=A transport=tcp",
    'INFO audit created a stream stream="made over\\nHTTP" right=createStream by=iggy transport=http',
    "INFO audit created a stream stream=orders right=createStream by=iggy client=N address=A transport=tcp",
    "INFO audit created a topic stream=orders topic=eu partitions=2 right=createTopic by=iggy client=N address=A transport=tcp",
    "INFO audit created a user user=ann right=createUser by=iggy transport=http",
    "INFO audit deleted a user user=ann right=deleteUser by=iggy transport=http",
    "INFO audit logged in by=iggy address=A transport=http",
    "INFO audit logged in by=iggy address=A transport=http",
    "INFO audit logged in by=iggy client=N address=A transport=tcp",
    "INFO audit logged out by=iggy client=N address=A transport=tcp",
    "INFO audit logged out by=iggy transport=http",
    "INFO audit refreshed an access token by=iggy address=A",
  ]);
  expect(server.log).not.toContain("secret-of-ann");
  await root.close();
});

test("what is refused is a line with user, right and target, on every transport; the same again is counted", async () => {
  const server = await servers.start({ shards: 2 });
  const root = await server.connect();
  await root.createStream("orders");
  await root.createTopic("orders", { name: "eu", partitionsCount: 2 });
  await root.createUser({ username: "ann", password: "secret-of-ann" });
  const http = await HttpTestClient.login(server, "ann", "secret-of-ann");
  const ann = await server.connect({ username: "ann", password: "secret-of-ann" });
  const line = (part: string) => server.logged(new RegExp(`audit refused a request ${part}`));

  expect(await codeOf(ann.deleteStream("orders"))).toBe(41);
  const missing = "right=deleteStream error=Unauthorized by=ann client=\\d+ address=\\S+ transport=tcp";
  await line(`command=deleteStream stream=orders ${missing}`);
  const send = {
    ...{ stream: "orders", topic: "eu", messages: [{ payload: new Uint8Array(1) }] },
    partitioning: { kind: "partition", partitionId: 0 },
  } as const;
  expect(await codeOf(ann.sendMessages(send))).toBe(41);
  await line("command=sendMessages stream=0 topic=0 right=sendMessages error=Unauthorized by=ann");
  expect((await http.request("GET", "/users")).status).toBe(403);
  await line("command=getUsers right=getUsers error=Unauthorized by=ann transport=http");
  expect((await http.request("GET", "/streams/orders/topics/eu/segment-holders")).status).toBe(403);
  await line("command=segmentHolders stream=0 topic=0 right=getTopic error=Unauthorized by=ann transport=http");
  expect(await codeOf(root.deleteUser("iggy"))).toBe(48);
  await line("command=deleteUser user=iggy right=deleteUser error=CannotDeleteUser by=iggy");
  expect(await codeOf(ann.changePassword("ann", "wrong-password", "new-password"))).toBe(42);
  await line("command=changePassword user=ann right=changePassword error=InvalidCredentials by=ann");
  // A name that is taken is everyday.
  expect(await codeOf(root.createStream("orders"))).toBe(1012);
  await server.logged(
    /INFO .*refused a request command=createStream stream=orders .*error=StreamNameAlreadyExists by=iggy/,
  );

  const counted = /command=getStreams right=getStreams error=Unauthorized leftOut=\d+ by=ann/;
  await eventually(
    "a line that counts those before it",
    () => codeOf(ann.getStreams()).then(() => server.log),
    (log) => counted.test(log),
  );
  for (const secret of ["secret-of-ann", "wrong-password", "new-password"]) expect(server.log).not.toContain(secret);
  await Promise.all([root.close(), ann.close()]);
});

test("a login that is refused is a warning with the address, and nothing of what was tried", async () => {
  const server = await servers.start({});
  await expect(server.connect({ username: "iggy", password: "wrong-password" })).rejects.toThrow();
  await server.logged(" audit ");
  expect(auditLines(server.log).join()).toMatch(
    /^WARN audit refused a login address=A transport=tcp error=InvalidCredentials$/,
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
  await server.logged(" audit ", 3);
  expect(auditLines(server.log)).toEqual([
    "INFO audit created a stream stream=****** right=createStream by=0 client=N address=A transport=tcp",
    "INFO audit created a topic stream=0 topic=****** partitions=2 right=createTopic by=0 client=N address=A transport=tcp",
    "INFO audit logged in by=0 client=N address=A transport=tcp",
  ]);
});
