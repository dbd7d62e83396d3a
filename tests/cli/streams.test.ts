// `whippet stream`, `topic`, `ping`, `me`, `stats` against a broker.

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { type InProcessBroker, startBroker } from "../../src/embedded/index.ts";
import { Whippet } from "./whippet.ts";

let broker: InProcessBroker;
let whippet: Whippet;

beforeAll(async () => {
  broker = await startBroker();
  whippet = new Whippet(broker.url());
});
afterAll(() => broker[Symbol.asyncDispose]());

const time = /\d{4}-\d\d-\d\d \d\d:\d\d:\d\d/g;

async function stdoutOf(line: string): Promise<string> {
  const { exitCode, stdout, stderr } = await whippet.line(line);
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
  return stdout.replace(time, "TIME");
}

async function said(line: string): Promise<string> {
  const { exitCode, stdout, stderr } = await whippet.line(line);
  expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: "" });
  return stderr;
}

describe("streams and topics", () => {
  test("are made, listed, shown, changed, emptied and deleted", async () => {
    expect(await said("stream create orders")).toBe("Created stream orders (id 0).\n");
    expect(await said("t c orders created 3 none 7days")).toBe(
      "Created topic created (id 0) in orders: 3 partitions, kept 7 days, any size.\n",
    );
    await (await broker.client()).sendMessages({
      stream: "orders",
      topic: "created",
      partitioning: { kind: "partition", partitionId: 1 },
      messages: [{ payload: new Uint8Array(2_000) }],
    });
    expect(await stdoutOf("s list")).toBe(
      ["ID  NAME    TOPICS  MESSAGES     SIZE  CREATED", " 0  orders       1         1  2.06 KB  TIME", ""].join("\n"),
    );
    expect(await stdoutOf("topic list orders")).toBe(
      [
        "ID  NAME     PARTITIONS  MESSAGES     SIZE  KEPT    MAX SIZE   CREATED",
        " 0  created           3         1  2.06 KB  7 days  unlimited  TIME",
        "",
      ].join("\n"),
    );
    expect(await stdoutOf("topic get orders created")).toBe(
      [
        "orders/created (id 0)   kept 7 days   unlimited   replication 1   created TIME",
        "PARTITION  SEGMENTS     SIZE  MESSAGES  LAST OFFSET",
        "        0         1      0 B         0            –",
        "        1         1  2.06 KB         1            0",
        "        2         1      0 B         0            –",
        "",
      ].join("\n"),
    );
    expect(await stdoutOf("stream list -l list")).toBe("0|TIME|orders|2.06 KB|1|1\n");
    expect(await stdoutOf("topic list orders --list-mode list")).toBe(
      "0|TIME|created|2.06 KB|unlimited|none|7days|1|3\n",
    );
    expect(await said("topic update -m 2GB orders created made none 1day 12h")).toBe(
      "Updated topic orders/created: made, kept 1 day 12 h, at most 2.00 GB.\n",
    );
    expect(await said("topic purge orders made")).toBe("Purged orders/made: 1 message removed.\n");
    expect(await said("stream update orders sales")).toBe("Stream orders is now called sales.\n");
    expect(await said("topic delete sales 0")).toBe("Deleted topic sales/0 (id 0).\n");
    expect(await said("stream delete sales")).toBe("Deleted stream sales (id 0).\n");
    expect(await stdoutOf("stream list --json")).toBe("[]\n");
  });

  test("have the names and units of the HTTP API in every machine-readable form", async () => {
    await said("stream create 2026");
    await said("topic create name:2026 facts 1 gzip");
    const stream = JSON.parse(await stdoutOf("stream get name:2026 --json"));
    expect(stream).toEqual({
      id: expect.any(Number),
      created_at: expect.any(Number),
      name: "2026",
      size: "0 B",
      messages_count: 0,
      topics_count: 1,
      topics: [expect.objectContaining({ name: "facts", compression_algorithm: "gzip" })],
    });
    const text = await stdoutOf("--json topic get name:2026 facts");
    expect(text).toContain('"message_expiry": 18446744073709551615');
    const lines = (await stdoutOf("topic list name:2026 --format ndjson")).trimEnd().split("\n");
    expect(lines.map((line) => JSON.parse(line).name)).toEqual(["facts"]);
    expect(await stdoutOf("stream get name:2026 --format toml")).toContain("[[topics]]\nid = 0\n");
    await said("stream delete name:2026 -q --yes");
  });

  test("that are made are told of to machines, too", async () => {
    const { stdout, stderr } = await whippet.line("stream create made --json");
    expect(stderr).toMatch(/^Created stream made \(id \d+\)\.\n$/);
    expect(JSON.parse(stdout)).toMatchObject({ name: "made", topics_count: 0 });
    const topic = await whippet.line("topic create made facts 2 none --format ndjson");
    expect(JSON.parse(topic.stdout)).toMatchObject({ name: "facts", partitions: [{ id: 0 }, { id: 1 }] });
    await said("stream delete made");
  });

  test("that are not there are named, with what may have been meant", async () => {
    await said("stream create orders");
    await said("topic create orders created 1 none");
    expect(await whippet.line("topic get orders craeted")).toEqual({
      exitCode: 5,
      stdout: "",
      stderr: 'whippet: no topic "craeted" in stream "orders". Is it "created"?  (error 2010)\n',
    });
    expect(await whippet.line("topic purge oders created")).toMatchObject({
      exitCode: 5,
      stderr: 'whippet: no stream "oders". Is it "orders"?  (error 1009)\n',
    });
    expect(await whippet.line("topic list 77")).toMatchObject({
      exitCode: 5,
      stderr: "whippet: no stream 77  (error 1009)\n",
    });
    expect(await whippet.line("stream create orders")).toMatchObject({
      exitCode: 1,
      stderr: 'whippet: there is a stream "orders" already  (error 1012)\n',
    });
  });
});

describe("the server", () => {
  test("is pinged, once for each count", async () => {
    const text = await stdoutOf("ping -c 2");
    expect(text).toMatch(/^127\.0\.0\.1:\d+ tcp {3}\d+\.\d\d ms {3}\d+\.\d\d ms\n$/);
    const lines = (await stdoutOf("ping --format ndjson")).trimEnd().split("\n");
    expect(lines.map((line) => JSON.parse(line).sequence)).toEqual([1]);
  });

  test("says who is there", async () => {
    expect(await stdoutOf("me")).toMatch(/^client \d+ {3}iggy \(id 0\) {3}tcp {3}127\.0\.0\.1:\d+\n$/);
  });

  test("tells its figures, with the original's words in its forms", async () => {
    expect(await stdoutOf("stats -o list")).toMatch(/^Iggy Server PID\|\d+\nIggy Server CPU Usage\|[\d.]+ %\n/);
    expect(await stdoutOf("stats -o toml")).toContain("messages_count = 0\n");
    expect(JSON.parse(await stdoutOf("stats --json"))).toMatchObject({ streams_count: 1, iggy_server_semver: 8000 });
    expect(await stdoutOf("stats")).toContain("\nin        1 streams, 1 topics, 1 partitions, 1 segments\n");
  });
});
