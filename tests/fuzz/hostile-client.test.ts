// Clients that break the rules. After each: the documented error or the end of that connection, nothing for anybody else,
// and no memory that stays.
import { afterEach, beforeAll, describe, expect, test } from "bun:test";
import { seededRandom } from "../../src/platform/random.ts";
import { CommandCode, type CommandName, commandNameOf, payloadSizes } from "../../src/protocol/codes.ts";
import { errorNameOf } from "../../src/protocol/errors.ts";
import { encodeRequestFrame } from "../../src/protocol/frame.ts";
import { encodeSendMessages } from "../../src/protocol/message/send-messages.ts";
import { commandTable } from "../../src/server/index.ts";
import { descriptorCount, eventually, growsLessThan, residentBytes } from "../support/process-facts.ts";
import { type TestServer, useServers } from "../support/server.ts";
import { joined, mebibyte, prepare, serveOthers } from "./calm.ts";
import { closeRawClients, RawClient } from "./raw-client.ts";

const servers = useServers();
/** A request that waits for what nobody gives back waits for ever; a busy machine takes its time. */
const answerMs = 60_000;
const nothing = new Uint8Array(0);
let server: TestServer;

beforeAll(async () => {
  server = await servers.start({ shards: 2 });
  await prepare(server);
});

/** Each send must be answered: none may wait for memory that nobody uses. */
async function sendEverySize(target: TestServer): Promise<void> {
  const client = await target.connect();
  for (const sizeBytes of [10, 5000, 50_000, 500_000, 1_100_000, 5_000_000, 9_000_000]) {
    const message = { payload: new Uint8Array(sizeBytes) };
    const sent = client.sendMessages({ stream: "calm", topic: "calm", messages: [message] });
    const answered = await Promise.race([sent.then(() => true), Bun.sleep(answerMs).then(() => false)]);
    expect({ sizeBytes, answered }).toEqual({ sizeBytes, answered: true });
  }
  client.close();
}

afterEach(async () => {
  closeRawClients();
  await serveOthers(server);
  expect(server.log).not.toContain("ERROR");
});

function header(first: number, second: number): Uint8Array {
  const bytes = new Uint8Array(8);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, first, true);
  view.setUint32(4, second, true);
  return bytes;
}

/** A send that declares `payloadBytes` and brings the first `sentBytes` of them. */
function openSend(payloadBytes: number, sentBytes: number): Uint8Array {
  const batch = encodeSendMessages({
    stream: { kind: "string", value: "calm" },
    topic: { kind: "string", value: "calm" },
    partitioning: { kind: "partition", partitionId: 0 },
    messages: [{ payload: new Uint8Array(sentBytes) }],
  });
  return joined([header(payloadBytes + 4, CommandCode.sendMessages), batch.subarray(0, sentBytes)]);
}

describe("frames that are none", () => {
  test("garbage is answered with errors of the table, or the connection ends", async () => {
    const random = seededRandom(11);
    for (let round = 0; round < 60; round++) {
      const garbage = new Uint8Array(1 + (random.u32() % 4000));
      random.fill(garbage);
      const client = await RawClient.connect(server.port);
      client.write(garbage);
      await client.sent();
      await Bun.sleep(2);
      for (const { status, payload } of client.replies) {
        expect([3, 4, 40]).toContain(status);
        expect(payload.byteLength).toBe(0);
      }
      client.close();
    }
  });

  test("half a frame, and then silence or the end", async () => {
    const whole = encodeRequestFrame(CommandCode.getStreams, new Uint8Array(40));
    const silent: RawClient[] = [];
    for (let cut = 1; cut < whole.byteLength; cut++) {
      const client = await RawClient.connect(server.port);
      client.write(whole.subarray(0, cut));
      if (cut % 2 === 0) client.close();
      else silent.push(client);
    }
    await serveOthers(server);
    for (const client of silent) {
      expect(client.isClosed).toBe(false);
      expect(client.repliesCount).toBe(0);
      client.close();
    }
  });

  test.each([0, 1, 2, 3])("a length of %d is answered with 3, and the next frame is read", async (length) => {
    const client = await RawClient.connectLoggedIn(server.port);
    const ping = encodeRequestFrame(CommandCode.ping, nothing);
    // In one piece: what is pipelined behind it must not wait.
    client.write(
      joined([header(length, CommandCode.getStreams), ping, header(length, CommandCode.sendMessages), ping]),
    );
    expect((await client.take(4)).map(({ status }) => status)).toEqual([3, 0, 3, 0]);
    client.close();
  });

  test.each([
    ["before login", CommandCode.getStreams, 3],
    ["before login, send", CommandCode.sendMessages, 40],
    ["after login", CommandCode.getStreams, 3],
    ["after login, send", CommandCode.sendMessages, 3],
    ["after login, unknown code", 999_999, 3],
  ] as const)("4 GB announced %s: one error, then the end", async (when, code, status) => {
    const client = await (when.startsWith("after") ? RawClient.connectLoggedIn : RawClient.connect)(server.port);
    const before = residentBytes(server.pid);
    client.write(joined([header(0xffff_ffff, code), new Uint8Array(10_000)]));
    await client.closed();
    expect(client.replies).toEqual([{ status, payload: nothing }]);
    await growsLessThan(20 * mebibyte, () => residentBytes(server.pid), before);
  });

  test("a client that begins as those of 0.9 do and is none is closed at once and named in the log, once", async () => {
    const packet = new Uint8Array(256);
    packet.fill(7, 49);
    for (let round = 0; round < 3; round++) {
      const client = await RawClient.connect(server.port);
      client.write(packet);
      await client.closed();
      expect(client.repliesCount).toBe(0);
    }
    const log = await server.logged("no request of any version");
    const lines = log.split("\n").filter((line) => line.includes("no request of any version"));
    // One for each shard that saw such a client.
    expect(lines.length).toBeGreaterThanOrEqual(1);
    expect(lines.length).toBeLessThanOrEqual(2);
  });
});

describe("requests that are none", () => {
  test("unknown codes are answered with 3", async () => {
    const codes = [
      0, 2, 9, 13, 19, 30, 45, 99, 103, 123, 206, 306, 400, 404, 502, 606, 65_536, 0x7fff_ffff, 0xffff_ffff,
    ];
    const client = await RawClient.connectLoggedIn(server.port);
    for (const code of codes) {
      expect(commandNameOf(code)).toBeUndefined();
      for (const payload of [nothing, new Uint8Array(5), new Uint8Array(70_000)]) {
        expect((await client.exchange(code, payload)).status).toBe(3);
      }
    }
    client.close();
  });

  // A login and a logout with any payload are what they are.
  const wrong = (Object.keys(CommandCode) as CommandName[]).filter((name) => payloadSizes[name].bytesMin > 0);
  test.each(wrong)("%s with payloads that are none", async (name) => {
    const code = CommandCode[name];
    const { bytesMin } = payloadSizes[name];
    const random = seededRandom(code);
    const client = await RawClient.connectLoggedIn(server.port);
    for (let sizeBytes = 0; sizeBytes < bytesMin; sizeBytes++) {
      const { status } = await client.exchange(code, new Uint8Array(sizeBytes).fill(1));
      expect([3, 4, 6]).toContain(status);
    }
    for (const sizeBytes of [1, 5, 30, 100, 300, 3000]) {
      const noise = new Uint8Array(sizeBytes);
      random.fill(noise);
      for (const payload of [noise, new Uint8Array(sizeBytes), new Uint8Array(sizeBytes).fill(0xff)]) {
        const { status } = await client.exchange(code, payload);
        // Any four bytes are a client id: an unknown one is an empty success.
        if (name === "getClient" && status === 0) continue;
        expect(status).not.toBe(1);
        expect(errorNameOf(status)).toBeDefined();
      }
    }
    client.close();
  });

  test("every command before login is refused, and none is carried out", async () => {
    const client = await RawClient.connect(server.port);
    for (const [code, command] of commandTable) {
      const { status } = await client.exchange(code, nothing);
      if (command.name === "ping") expect(status).toBe(0);
      else expect(payloadSizes[command.name].bytesMin > 0 ? [3, 4] : [40]).toContain(status);
    }
    client.close();
  });
});

describe("floods", () => {
  test("a million bad frames leave no memory behind", async () => {
    const frames = [
      encodeRequestFrame(999, nothing),
      encodeRequestFrame(CommandCode.getStream, new Uint8Array(1)),
      encodeRequestFrame(CommandCode.createTopic, new Uint8Array(30).fill(0xff)),
      encodeRequestFrame(CommandCode.sendMessages, new Uint8Array(12).fill(0xff)),
    ];
    const perWrite = 5000;
    const chunk = joined(Array.from({ length: perWrite }, (_, index) => frames[index % frames.length]!));
    const client = await RawClient.connectLoggedIn(server.port, { countsOnly: true });
    let sentCount = 0;
    const flood = async (framesCount: number) => {
      for (const end = sentCount + framesCount; sentCount < end; sentCount += perWrite) {
        client.write(chunk);
        // A few writes ahead, so that the server always has a full socket.
        await client.repliesReach(sentCount - 3 * perWrite);
      }
      await client.repliesReach(1 + sentCount);
    };
    await flood(300_000);
    const before = residentBytes(server.pid);
    await flood(700_000);
    await growsLessThan(40 * mebibyte, () => residentBytes(server.pid), before);
    expect(client.isClosed).toBe(false);
    expect([...client.counts.keys()].sort()).toEqual([0, 3]);
    client.close();
  }, 300_000);

  test("200 MB announced and 1 KB sent take no memory", async () => {
    const before = residentBytes(server.pid);
    const clients: RawClient[] = [];
    for (let index = 0; index < 8; index++) {
      const client = await RawClient.connectLoggedIn(server.port);
      client.write(openSend(200_000_000, 1000));
      clients.push(client);
    }
    await Bun.sleep(100);
    await growsLessThan(40 * mebibyte, () => residentBytes(server.pid), before);
    for (const client of clients) {
      expect(client.isClosed).toBe(false);
      client.close();
    }
  });

  test.each([
    ["200 MB", 200_000_000],
    ["5 MB", 5_000_000],
  ])(
    "300 half-open sends of %s disturb nobody",
    async (_, payloadBytes) => {
      const own = await servers.start({ shards: 2 });
      await prepare(own);
      const before = residentBytes(own.pid);
      for (let index = 0; index < 300; index++) {
        const client = await RawClient.connectLoggedIn(own.port);
        client.write(openSend(payloadBytes, 1000));
      }
      await Bun.sleep(100);
      await serveOthers(own, 100);
      await growsLessThan(100 * mebibyte, () => residentBytes(own.pid), before);
      closeRawClients();
      // What they held is free again, for requests of every size and on both shards.
      for (let attempt = 0; attempt < 4; attempt++) await sendEverySize(own);
      expect(own.log).not.toContain("ERROR");
      await own.stop();
    },
    120_000,
  );

  test("the arena serves every size again after half-open sends of other sizes have filled it", async () => {
    const own = await servers.start({ shards: 1, env: { IGGY_SYSTEM_MEMORY_POOL_SIZE: "512 MiB" } });
    await prepare(own);
    for (const [count, payloadBytes] of [
      [64, 5_000_000],
      [2, 3_000_000],
      [4, 700_000],
    ] as const) {
      for (let index = 0; index < count; index++) {
        (await RawClient.connectLoggedIn(own.port)).write(openSend(payloadBytes, 1000));
      }
    }
    closeRawClients();
    await sendEverySize(own);
    await own.stop();
  }, 120_000);

  test("5,000 connections that open and close leave nothing behind", async () => {
    const flood = async (count: number) => {
      for (let opened = 0; opened < count; opened += 50) {
        const clients = await Promise.all(Array.from({ length: 50 }, () => RawClient.connect(server.port)));
        clients.forEach((client, index) => {
          if (index % 3 === 0) client.write(header(20, CommandCode.loginUser));
          client.close();
        });
      }
    };
    const client = await server.connect();
    // The server hears of an end later than the client.
    const onlyThisOne = () =>
      eventually(
        "the others are gone",
        async () => [(await client.getClients()).length, (await client.getStats()).clientsCount],
        (counts) => counts.every((count) => count === 1),
      );
    await flood(1000);
    await onlyThisOne();
    const memoryBefore = residentBytes(server.pid);
    const descriptorsBefore = descriptorCount(server.pid);
    await flood(4000);
    await onlyThisOne();
    await eventually(
      "their descriptors are closed",
      () => descriptorCount(server.pid) - descriptorsBefore,
      (more) => more <= 5,
    );
    await growsLessThan(40 * mebibyte, () => residentBytes(server.pid), memoryBefore);
    client.close();
  }, 120_000);
});
