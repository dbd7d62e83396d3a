// The HTTP client against the real server: what is sent is what is polled, and errors have their names.
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { HttpClient } from "../../src/client/index.ts";
import { encode } from "../../src/protocol/codec.ts";
import { headerString, userHeadersCodec } from "../../src/protocol/user-headers.ts";
import { useServers } from "../support/server.ts";

const servers = useServers();

describe("the HTTP client", async () => {
  const server = await servers.start({ shards: 2 });
  const url = `http://${server.host}:${server.portOf("http")}`;
  const connect = () => HttpClient.connect({ url, username: "iggy", password: "iggy" });
  const consumer = { kind: "consumer", id: { kind: "numeric", value: 1 } } as const;

  test("any messages are polled as they were sent, from any partition", async () => {
    const client = await connect();
    await client.createStream("s");
    await client.createTopic("s", { name: "t", partitionsCount: 4 });
    const message = fc.record(
      {
        id: fc.bigInt({ min: 1n, max: 2n ** 128n - 1n }),
        payload: fc.uint8Array({ minLength: 1, maxLength: 200 }),
        userHeaders: fc
          .tuple(fc.string({ minLength: 1, maxLength: 20 }), fc.string({ minLength: 1, maxLength: 20 }))
          .map(([key, value]) => encode(userHeadersCodec, [{ key: headerString(key), value: headerString(value) }])),
      },
      { requiredKeys: ["payload"] },
    );
    const ends = [0, 0, 0, 0];
    await fc.assert(
      fc.asyncProperty(fc.array(message, { minLength: 1, maxLength: 20 }), fc.nat(3), async (sent, partitionId) => {
        const place = { stream: "s", topic: "t" };
        const messages = sent.map(({ id, userHeaders, payload }) => ({
          payload,
          ...(id === undefined ? {} : { id }),
          ...(userHeaders === undefined ? {} : { userHeaders }),
        }));
        await client.sendMessages({ ...place, partitioning: { kind: "partition", partitionId }, messages });
        const strategy = { kind: "offset", value: BigInt(ends[partitionId] ?? 0) } as const;
        const polled = await client.pollMessages({ ...place, consumer, partitionId, strategy, count: 100 });
        ends[partitionId]! += sent.length;
        expect(polled.currentOffset).toBe(BigInt(ends[partitionId]! - 1));
        expect(polled.messages.map(({ payload }) => payload.toHex())).toEqual(
          sent.map(({ payload }) => payload.toHex()),
        );
        expect(polled.messages.map(({ userHeaders }) => userHeaders.toHex())).toEqual(
          sent.map(({ userHeaders }) => userHeaders?.toHex() ?? ""),
        );
        sent.forEach(({ id }, index) => {
          if (id !== undefined) expect(polled.messages[index]?.id).toBe(id);
        });
      }),
      { numRuns: 40 },
    );
    await client.deleteStream("s");
  });

  test("offsets are stored and read; one that is not there is undefined", async () => {
    const client = await connect();
    await client.createStream("o");
    await client.createTopic("o", { name: "t", partitionsCount: 1 });
    const place = { stream: "o", topic: "t", consumer };
    await client.sendMessages({ ...place, messages: [{ payload: new Uint8Array(1) }] });
    expect(await client.getConsumerOffset(place)).toBeUndefined();
    await client.storeConsumerOffset({ ...place, offset: 0n });
    expect(await client.getConsumerOffset(place)).toEqual({ partitionId: 0, currentOffset: 0n, storedOffset: 0n });
    await expect(client.storeConsumerOffset({ ...place, offset: 7n })).rejects.toMatchObject({
      errorName: "InvalidOffset",
    });
  });

  test("a personal access token logs in, whoever was logged in before", async () => {
    const root = await connect();
    const { text } = await root.request("POST", "/personal-access-tokens", '{"name":"tests","expiry":0}');
    const { token } = JSON.parse(text) as { readonly token: string };
    const guest = await HttpClient.connect({ url });
    await expect(guest.createStream("p")).rejects.toMatchObject({ errorName: "Unauthenticated" });
    await expect(guest.loginWithToken("unknown")).rejects.toMatchObject({ errorName: "ResourceNotFound" });
    expect(await guest.loginWithToken(token)).toBe(0);
    await guest.createStream("p");

    await root.request("POST", "/users", '{"username":"bob","password":"secret","status":"active"}');
    const bob = await HttpClient.connect({ url });
    expect(await bob.login("bob", "secret")).toBe(1);
    await expect(bob.deleteStream("p")).rejects.toMatchObject({ errorName: "Unauthorized" });
    expect(await bob.loginWithToken(token)).toBe(0);
    await bob.deleteStream("p");
  });

  test("errors have their names", async () => {
    const client = await connect();
    await client.ping();
    await expect(client.deleteStream("none")).rejects.toMatchObject({ errorName: "StreamIdNotFound" });
    await expect(client.request("POST", "/streams", "{")).rejects.toMatchObject({ errorName: "InvalidFormat" });
    await client.logout();
    await expect(client.createStream("x")).rejects.toMatchObject({ errorName: "Unauthenticated" });
    const wrong = HttpClient.connect({ url, username: "iggy", password: "wrong" });
    await expect(wrong).rejects.toMatchObject({ errorName: "InvalidCredentials" });
    const nowhere = HttpClient.connect({ url: "http://127.0.0.1:1", username: "iggy", password: "iggy" });
    await expect(nowhere).rejects.toMatchObject({ errorName: "CannotEstablishConnection" });
  });
});
