"""Messages, strategies and partitionings, in the tour of `apache-iggy` 0.9.0."""

from datetime import timedelta

from apache_iggy import (
    BackgroundProducerConfig,
    DirectProducerConfig,
    HeaderKey,
    HeaderValue,
    IggyClient,
    Partitioning,
    PollingStrategy,
    SendMessage,
)
from tour_09_support import STREAM, TOPIC, check, counts, equal, offsets, poll, refused

HEADERS = {
    "text": "grün",
    HeaderKey.String("flag"): HeaderValue.Bool(True),
    HeaderKey.UnsignedInt32(7): HeaderValue.Int64(-(2**63)),
    "raw": bytes([0, 255, 7]),
    "share": 0.25,
    "large": HeaderValue.UnsignedInt128(2**128 - 1),
}


async def contents(client: IggyClient) -> None:
    binary = bytes(range(256))
    sent = [
        SendMessage("named", id=77),
        SendMessage(binary, user_headers=HEADERS),
        SendMessage("x"),
        SendMessage(b"\x00" * 1_000_000),
    ]
    answer = await client.send_messages(STREAM, TOPIC, 0, sent)
    [place] = answer.confirmations
    equal("the confirmation", (place.partition_id, place.base_offset), (0, 0))
    received = await poll(client, 0, PollingStrategy.First(), 10)
    equal("payloads", [message.payload() for message in received], [b"named", binary, b"x", b"\x00" * 1_000_000])
    equal("lengths", [message.length() for message in received], [5, 256, 1, 1_000_000])
    equal("places", [(message.partition_id(), message.offset()) for message in received], [(0, n) for n in range(4)])
    equal("the id", received[0].id(), 77)
    check(all(message.id() != 0 and message.checksum() != 0 for message in received), "an id or a checksum is 0")
    check(all(message.timestamp() >= message.origin_timestamp() for message in received), "stored before it was made")
    check(not received[0].user_headers(), "there are headers that nobody sent")
    headers = received[1].user_headers()
    for key, value in HEADERS.items():
        key = HeaderKey.String(key) if isinstance(key, str) else key
        scalar = getattr(value, "value", value)
        equal(f"header {key!r}", headers[key].value, scalar)
    equal("headers", len(headers), len(HEADERS))
    print("ok payloads, ids and user headers")


async def strategies(client: IggyClient) -> None:
    for number in range(20):
        await client.send_messages(STREAM, TOPIC, 1, [SendMessage(f"message {number}")])
    page = await poll(client, 1, PollingStrategy.Offset(value=7), 5)
    equal("by offset", offsets(page), [7, 8, 9, 10, 11])
    equal("payloads", [message.payload() for message in page], [f"message {n}".encode() for n in range(7, 12)])
    equal("past the end", await poll(client, 1, PollingStrategy.Offset(value=20), 5), [])
    equal("first", offsets(await poll(client, 1, PollingStrategy.First(), 3)), [0, 1, 2])
    equal("last", offsets(await poll(client, 1, PollingStrategy.Last(), 3)), [17, 18, 19])
    since = await poll(client, 1, PollingStrategy.Timestamp(value=page[2].timestamp()), 4)
    equal("by timestamp", offsets(since), [9, 10, 11, 12])
    for _ in range(2):
        equal("next without commit", offsets(await poll(client, 1, PollingStrategy.Next(), 4)), [0, 1, 2, 3])
    for expected in ([*range(8)], [*range(8, 16)], [*range(16, 20)], []):
        equal("next with commit", offsets(await poll(client, 1, PollingStrategy.Next(), 8, True)), expected)
    await refused("an unknown partition", poll(client, 9, PollingStrategy.Next(), 1), "partition")
    print("ok polls of every strategy")


async def partitionings(client: IggyClient) -> None:
    async def added(send) -> list[int]:
        before = await counts(client)
        await send()
        return [after - earlier for after, earlier in zip(await counts(client), before)]

    async def send(partitioning, count: int) -> None:
        for number in range(count):
            await client.send_messages(STREAM, TOPIC, partitioning, [SendMessage(f"sent {number}")])

    equal("6 balanced sends", await added(lambda: send(Partitioning.balanced(), 6)), [2, 2, 2])
    # spec BP 8: a producer of 0.8 with this key sends to the same of three partitions.
    equal("4 sends with a key", await added(lambda: send(Partitioning.messages_key("user-42"), 4)), [0, 0, 4])
    equal("a binary key", sorted(await added(lambda: send(Partitioning.messages_key(b"\x00\xff"), 4))), [0, 0, 4])
    equal("2 sends to a partition", await added(lambda: send(Partitioning.partition_id(1), 2)), [0, 2, 0])
    await refused("an unknown partition", send(9, 1), "partition")

    async def directly() -> None:
        mode = DirectProducerConfig(batch_length=10)
        producer = await client.producer(STREAM, TOPIC, Partitioning.balanced(), mode)
        answer = await producer.send([SendMessage(f"direct {number}") for number in range(60)])
        check(len(answer.confirmations) > 0, "a direct send is not confirmed")
        await producer.send_one(SendMessage("one"))
        await producer.send_with_partitioning([SendMessage("there")], Partitioning.partition_id(2))
        await producer.send_to(STREAM, TOPIC, [SendMessage("elsewhere")], Partitioning.partition_id(2))
        await producer.shutdown()

    equal("sent directly", sum(await added(directly)), 63)

    async def in_background() -> None:
        mode = BackgroundProducerConfig(batch_length=20, linger_time=timedelta(milliseconds=5))
        async with await client.producer(STREAM, TOPIC, Partitioning.balanced(), mode) as producer:
            for number in range(10):
                await producer.send([SendMessage(f"background {number} {index}") for index in range(30)])

    equal("sent in the background", sum(await added(in_background)), 300)
    print("ok every partitioning and both producers")
