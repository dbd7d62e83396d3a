// Partitions, segments, groups, offsets, users, tokens, clients, the cluster and snapshots, against a broker.

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type InProcessBroker, startBroker } from "../../src/embedded/index.ts";
import { type RunOptions, Whippet } from "./whippet.ts";

let broker: InProcessBroker;
let whippet: Whippet;

beforeAll(async () => {
  broker = await startBroker();
  whippet = new Whippet(broker.url());
  const root = await broker.client();
  await root.createStream("orders");
  await root.createTopic("orders", { name: "created", partitionsCount: 2 });
  await send(0, 5);
});
afterAll(() => broker[Symbol.asyncDispose]());

async function send(partitionId: number, count: number): Promise<void> {
  const messages = Array.from({ length: count }, (_, index) => ({ payload: new Uint8Array([index]) }));
  const root = await broker.client();
  await root.sendMessages({
    stream: "orders",
    topic: "created",
    partitioning: { kind: "partition", partitionId },
    messages,
  });
}

async function said(line: string, options?: RunOptions): Promise<string> {
  const { exitCode, stdout, stderr } = await whippet.line(line, options);
  expect({ exitCode, stdout, line }).toEqual({ exitCode: 0, stdout: "", line });
  return stderr;
}

async function shown(line: string): Promise<string> {
  const { exitCode, stdout, stderr } = await whippet.line(line);
  expect({ exitCode, stderr, line }).toEqual({ exitCode: 0, stderr: "", line });
  return stdout;
}

async function refused(line: string): Promise<[number, string]> {
  const { exitCode, stderr } = await whippet.line(line);
  return [exitCode, stderr];
}

describe("partitions and segments", () => {
  test("are added and deleted", async () => {
    expect(await said("partition create orders created 2")).toBe("Created 2 partitions in orders/created: 4 now.\n");
    expect(await said("p d orders created 1")).toBe("Deleted 1 partition of orders/created: 3 left.\n");
    expect(await said("segment delete orders created 0 1")).toMatch(
      /^Deleted \d segments? of orders\/created, partition 0 \(/,
    );
    expect(await refused("partition delete orders created 9")).toEqual([
      1,
      "whippet: the topic has fewer partitions than that  (error 2019)\n",
    ]);
    expect(await refused("segment delete orders created 9 1")).toEqual([
      5,
      'whippet: no partition 9 of topic "created" in stream "orders": it has 0 to 2  (error 3007)\n',
    ]);
  });

  test("ask whoever sits at a terminal before messages go, and nobody else", async () => {
    await said("topic create orders asked 1 none");
    const root = await broker.client();
    await root.sendMessages({ stream: "orders", topic: "asked", messages: [{ payload: new Uint8Array(1) }] });
    await said("consumer-group create orders asked watchers");
    const question = "This removes 1 message of orders/asked and the offsets of 1 group. Purge? [y/N] ";
    const no = await whippet.line("topic purge orders asked", { isTerminal: true, stdin: "\n" });
    expect(no).toEqual({
      exitCode: 0,
      stdout: "",
      stderr: `${question}Nothing is done: the question was not answered with yes.\n`,
    });
    const yes = await whippet.line("topic purge orders asked", { isTerminal: true, stdin: "y\n" });
    expect(yes.stderr).toBe(`${question}Purged orders/asked: 1 message removed.\n`);
    await root.sendMessages({ stream: "orders", topic: "asked", messages: [{ payload: new Uint8Array(1) }] });
    const told = await whippet.line("topic delete orders asked --yes", { isTerminal: true });
    expect(told.stderr).toMatch(/^Deleted topic orders\/asked \(id \d\)\.\n$/);
  });
});

describe("consumer groups and offsets", () => {
  test("show how far behind a group is, and are set where nobody is a member", async () => {
    expect(await said("consumer-group create orders created billing")).toBe(
      "Created consumer group billing (id 0) of orders/created.\n",
    );
    expect(await said("consumer-offset set -k consumer-group billing orders created 0 3")).toBe(
      "billing in orders/created, partition 0: committed 3.\n",
    );
    const lines = (await shown("consumer-group get orders created billing")).split("\n");
    expect(lines.slice(0, 3)).toEqual([
      "billing (id 0)   3 partitions, 0 members",
      "PARTITION  MEMBER  COMMITTED  HEAD  LAG",
      "        0       –          3     4    1",
    ]);
    expect(await shown("consumer-offset get billing orders created 0 -k consumer-group")).toBe(
      "billing in orders/created, partition 0: committed 3, head 4, lag 1\n",
    );
    expect(await shown("g list orders created -l list")).toBe("0|billing|3|0\n");
    expect(JSON.parse(await shown("g get orders created billing --json")).offsets[0]).toEqual({
      partition_id: 0,
      stored_offset: 3,
      current_offset: 4,
      lag: 1,
    });
    expect(await said("o delete -k consumer-group billing orders created 0")).toBe(
      "Deleted the offset of billing in orders/created, partition 0.\n",
    );
  });

  test("of a group with members are left alone, and the members named", async () => {
    const member = await broker.client();
    await member.joinConsumerGroup("orders", "created", "billing");
    const { address } = await member.getMe();
    expect(await refused("consumer-offset set -k consumer-group billing orders created 0 1")).toEqual([
      1,
      `whippet: billing has 1 member (${address}); stop it first, or wait until it has left\n`,
    ]);
    expect(await shown("client list")).toContain(address);
    await member.leaveConsumerGroup("orders", "created", "billing");
  });

  test("of single consumers need no membership", async () => {
    expect(await said("consumer-offset set 7 orders created 0 2")).toBe(
      "7 in orders/created, partition 0: committed 2.\n",
    );
    expect(await shown("consumer-offset get 7 orders created 0")).toBe(
      "7 in orders/created, partition 0: committed 2, head 4, lag 2\n",
    );
    expect(await refused("consumer-offset get 8 orders created 0")).toEqual([
      5,
      "whippet: no offset of consumer 8 in orders/created, partition 0 is stored  (error 3021)\n",
    ]);
    expect(await refused("consumer-offset get bling orders created 0 -k consumer-group")).toEqual([
      5,
      'whippet: no consumer group "bling" of topic "created" in stream "orders". Is it "billing"?  (error 5000)\n',
    ]);
    expect(await refused("consumer-group get orders created biling")).toEqual([
      5,
      'whippet: no consumer group "biling" of topic "created" in stream "orders". Is it "billing"?  (error 5000)\n',
    ]);
  });
});

describe("users and tokens", () => {
  test("are made with rights, shown, changed and deleted", async () => {
    expect(await said("user create ann secret --global-permissions r_str,p_msg")).toBe(
      "Created user ann (id 1): active, read_streams, poll_messages.\n",
    );
    expect(await said("user permissions ann -g p_msg -s 0:r_str#0:s_msg")).toBe(
      "ann may now: poll_messages; in stream 0: read_stream; in topic 0: send_messages.\n",
    );
    expect(JSON.parse(await shown("user get ann --json")).permissions).toMatchObject({
      global: { poll_messages: true, read_streams: false },
      streams: { "0": { read_stream: true, topics: { "0": { send_messages: true } } } },
    });
    const denied = await whippet.line("-u ann -p secret topic delete orders created");
    expect([denied.exitCode, denied.stderr]).toEqual([
      4,
      "whippet: ann may not manage topics of orders; needed is one of manage_topics, manage_stream  (error 41)\n",
    ]);
    expect(await said("user name ann anna")).toBe('User "ann" is now called anna.\n');
    expect(await refused("user password anna wrong better")).toEqual([
      1,
      "whippet: the current password is not that  (error 42)\n",
    ]);
    expect(await said("user password anna secret better")).toBe('The password of "anna" is changed.\n');
    expect(await said("user status anna inactive")).toBe('User "anna" is inactive.\n');
    const inactive = await whippet.line("-u anna -p better me");
    expect([inactive.exitCode, inactive.stderr]).toEqual([4, expect.stringContaining("was refused: ")]);
    expect(await shown("user list -l list")).toMatch(/^0\|.*\|active\|iggy\n1\|.*\|inactive\|anna\n$/);
    expect(await said("user delete anna")).toBe('Deleted user "anna".\n');
    expect(await refused("user get anna")).toEqual([5, 'whippet: no user "anna"  (error 20)\n']);
  });

  test("take a password from stdin, and say what is wrong with one", async () => {
    expect(await said("user create bob", { stdin: "longenough\n" })).toStartWith("Created user bob");
    expect(await refused("user create eve 12")).toEqual([
      1,
      "whippet: a password has 3 to 100 characters  (error 44)\n",
    ]);
    expect(await refused("user create eve secret -g p_msg,fly")).toMatchObject([
      2,
      expect.stringContaining('has "fly", which'),
    ]);
    expect(await refused("user create bob secret")).toEqual([
      1,
      'whippet: there is a user "bob" already  (error 46)\n',
    ]);
  });

  test("tokens are shown once, alone with -q, or kept", async () => {
    const { stdout, stderr } = await whippet.line("pat create deploy 30days -q");
    expect(stderr).toBe("");
    expect(stdout).toMatch(/^[A-Za-z0-9+/=]{40,}\n$/);
    const bare = new Whippet(broker.url().replace("iggy:iggy@", ""));
    expect((await bare.run(["-t", stdout.trim(), "me"])).stdout).toContain("iggy (id 0)");
    expect((await bare.line("-t nonsense me")).stderr).toEndWith("was refused: there is no such token  (error 20)\n");
    expect(await said("pat create kept -s")).toContain("credentials.toml: whippet -n kept …\n");
    expect((await whippet.line("-n kept me")).stdout).toContain("iggy (id 0)");
    expect(await shown("pat list -l list")).toMatch(/^deploy\|\d{4}-.*\nkept\|unlimited\n$/);
    expect(await refused("pat delete kpt")).toEqual([5, 'whippet: no token "kpt". Is it "kept"?\n']);
    expect(await said("pat delete kept")).toBe("Deleted token kept.\n");
    expect(await refused("-n kept me")).toMatchObject([4, expect.stringContaining('no token "kept" is kept here')]);
  });
});

describe("the server", () => {
  test("lists its clients and its nodes", async () => {
    expect(await shown("client list -l list")).toMatch(/^(\d+\|0\|127\.0\.0\.1:\d+\|tcp\|\d\n)+$/);
    const [id = ""] = (await shown("client list -l list")).split("|");
    expect(await refused("client get 4000000000")).toEqual([5, "whippet: no client 4000000000  (error 100)\n"]);
    expect(id).not.toBe("");
    expect(await shown("cluster metadata -l list")).toMatch(
      /^[\w-]+\|127\.0\.0\.1\|\d+\|\d+\|\d+\|\d+\|leader\|healthy\n$/,
    );
  });

  test("writes a snapshot into a file of the owner's", async () => {
    const directory = mkdtempSync(join(tmpdir(), "whippet-snapshot-"));
    const { path } = JSON.parse(await shown(`snapshot -s server_config -o ${directory} --json`));
    expect(path).toMatch(/iggy_snapshot_\d{8}_\d{6}\.zip$/);
    expect(readFileSync(path).subarray(0, 2).toString()).toBe("PK");
    expect(await refused(`snapshot -o ${directory}/none`)).toMatchObject([
      1,
      expect.stringContaining("cannot be written: its directory is not there"),
    ]);
  });
});

test("a stream called by digits is told from a number", async () => {
  await said("stream create 5");
  expect((await shown("stream get name:5")).split("   ")[0]).toMatch(/^5 \(id \d+\)$/);
  expect(await refused("stream get 5")).toEqual([5, "whippet: no stream 5  (error 1009)\n"]);
});
