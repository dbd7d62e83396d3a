// What the console says of the broker's health, and to whom.
import { describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Health } from "../../src/protocol/console/health.ts";
import { makeLoopbackCertificate } from "../../src/security/made-certificate.ts";
import { noGlobalRights } from "../support/permissions.ts";
import { useServers } from "../support/server.ts";
import { HttpTestClient } from "../transport/http-client.ts";
import { ConsoleTestClient } from "./console-test-client.ts";

const dayMs = 86_400_000;
const servers = useServers();
// Segments so small that a deletion by an operator meets a consumer that has not read them.
const server = await servers.start({
  env: { IGGY_SYSTEM_SEGMENT_SIZE: "1 MiB" },
});
const root = await server.connect();
await root.createStream("orders");
await root.createTopic("orders", { name: "payments", partitionsCount: 1 });

async function healthOf(body?: object) {
  return (await (await ConsoleTestClient.signIn(server, body)).request("GET", "/ui/api/health")).json;
}

describe("the health of the broker", () => {
  test("is good while nothing is wrong", async () => {
    const answer = (await healthOf()) as { level: string; findings: { code: string }[] };
    // The disk of the machine that runs the tests is its own affair.
    expect(answer.findings.filter(({ code }) => code !== "diskNearlyFull")).toEqual([]);
  });

  test("names who keeps old segments, to who may read the topic", async () => {
    const consumer = { kind: "consumer", id: { kind: "numeric", value: 7 } } as const;
    const place = { stream: "orders", topic: "payments", partitionId: 0, consumer };
    const messages = [{ payload: new Uint8Array(600_000) }];
    const partitioning = { kind: "partition", partitionId: 0 } as const;
    for (let count = 0; count < 8; count++) await root.sendMessages({ ...place, partitioning, messages });
    await root.storeConsumerOffset({ ...place, offset: 0n });
    await root.deleteSegments("orders", "payments", 0, 2);
    const finding = {
      code: "heldSegments",
      level: "warn",
      subject: { stream: "orders", topic: "payments" },
      values: { partition: "0", consumer: "7", kind: "consumer", segments: "2" },
    };
    expect(await healthOf()).toMatchObject({ findings: expect.arrayContaining([expect.objectContaining(finding)]) });
    await root.createUser({
      username: "ann",
      password: "secret",
      permissions: { global: noGlobalRights, streams: [] },
    });
    expect(await healthOf({ username: "ann", password: "secret" })).toEqual({ level: "ok", findings: [] });
  });

  test("is for who is signed in, and takes a token of the REST API", async () => {
    const nobody = await new ConsoleTestClient(server).request("GET", "/ui/api/health");
    expect([nobody.status, nobody.json]).toMatchObject([401, { code: "unauthenticated" }]);
    const { token } = await HttpTestClient.login(server);
    const headers = { authorization: `Bearer ${token}` };
    expect((await new ConsoleTestClient(server).request("GET", "/ui/api/health", { headers })).status).toBe(200);
    expect((await new ConsoleTestClient(server).request("POST", "/ui/api/health", { headers })).status).toBe(405);
  });

  test("says when a certificate ends soon", async () => {
    const directory = servers.makeDirectory();
    const nowMs = Date.now();
    const { certPem, keyPem } = makeLoopbackCertificate(nowMs - dayMs, nowMs + 5.5 * dayMs);
    writeFileSync(join(directory, "cert.pem"), certPem);
    writeFileSync(join(directory, "key.pem"), keyPem, { mode: 0o600 });
    const env = {
      IGGY_TCP_TLS_ENABLED: "true",
      IGGY_TCP_TLS_SELF_SIGNED: "false",
      IGGY_TCP_TLS_CERT_FILE: join(directory, "cert.pem"),
      IGGY_TCP_TLS_KEY_FILE: join(directory, "key.pem"),
    };
    const other = await ConsoleTestClient.signIn(await servers.start({ env }));
    const health = (await other.request("GET", "/ui/api/health")).json as Health;
    const values = { transport: "tcp", days: "5" };
    expect(health.findings).toContainEqual({ code: "certificateEnds", level: "warn", values });
  });
});
