"""Talks to a broker with the package `apache-iggy` as published, as its users do. Ends with 0 when everything was right.

    conformance.py send  HOST:PORT    logs in, makes stream and topic, sends every message
    conformance.py poll  HOST:PORT    reads every message back with every polling strategy
    conformance.py again HOST:PORT    after a restart of the broker: everything is still there, and it goes on

What one package sent another may poll. CONTENT_MESSAGES sets their number.
"""

import asyncio
import importlib.metadata
import os
import platform
import sys
import time

import contents
import generations
from apache_iggy import IggyClient, PollingStrategy, SendMessage

STREAM = "python-ünïcode"
TOPIC = "conformance"
PAGE = 1_000
ADDED = 300


def check(is_right: bool, message: str) -> None:
    if not is_right:
        raise AssertionError(message)


def report(what: str, messages: int, size_bytes: int, started: float) -> None:
    seconds = max(time.perf_counter() - started, 1e-6)
    print(f"{what}: {messages} messages in {seconds:.2f} s, {messages / seconds:,.0f}/s, {size_bytes / seconds / 1e6:.0f} MB/s")


async def connect(address: str) -> IggyClient:
    client = IggyClient(address)
    await client.connect()
    await client.login_user("iggy", "iggy")
    await client.ping()
    return client


async def send(client: IggyClient, first: int, count: int) -> None:
    started = time.perf_counter()
    spent = 0.0
    size_bytes = 0
    for partition, batch in contents.batches(first, count):
        messages = [SendMessage(content) for content in batch]
        size_bytes += sum(len(contents.as_bytes(content)) for content in batch)
        before = time.perf_counter()
        await client.send_messages(STREAM, TOPIC, partition, messages)
        spent += time.perf_counter() - before
    report("send", count, size_bytes, time.perf_counter() - spent)
    print(f"send with making the messages: {time.perf_counter() - started:.2f} s")


def compare(what: str, partition: int, first_offset: int, received, expected: list[bytes]) -> None:
    """`received` has to be exactly `expected`, with offsets from `first_offset` on."""
    place = f"{what}, partition {partition}, offset {first_offset}"
    check(len(received) == len(expected), f"{place}: {len(received)} messages instead of {len(expected)}")
    for index, (message, content) in enumerate(zip(received, expected)):
        offset = first_offset + index
        check(message.offset() == offset, f"{place}: offset {message.offset()} instead of {offset}")
        check(message.partition_id() == partition, f"{place}: partition {message.partition_id()}")
        check(message.length() == len(content), f"{place}: length {message.length()} at offset {offset}")
        check(message.payload() == content, f"{place}: other content at offset {offset}")
        check(message.id() != 0, f"{place}: no id at offset {offset}")


class Reader:
    def __init__(self, client: IggyClient, expected: list[list[bytes]]):
        self.client = client
        self.expected = expected
        self.messages = sum(len(partition) for partition in expected)
        self.size_bytes = sum(len(content) for partition in expected for content in partition)
        # (timestamp, first offset, number of messages) of each run of equal timestamps, by partition.
        self.runs: list[list[list[int]]] = [[] for _ in expected]

    async def poll(self, partition: int, strategy: PollingStrategy, count: int, auto_commit: bool = False):
        return await generations.poll(self.client, STREAM, TOPIC, partition, strategy, count, auto_commit)

    async def by_offset(self) -> None:
        for partition, expected in enumerate(self.expected):
            last = (0, 0)
            for start in range(0, len(expected), PAGE):
                page = await self.poll(partition, PollingStrategy.Offset(value=start), PAGE)
                compare("offset", partition, start, page, expected[start : start + PAGE])
                for message in page:
                    stamp = message.timestamp()
                    check(stamp >= last[0], f"offset: time runs backwards at {message.offset()} of {partition}")
                    if stamp != last[0]:
                        self.runs[partition].append([stamp, message.offset(), 0])
                    self.runs[partition][-1][2] += 1
                    last = (stamp, message.offset())
            beyond = await self.poll(partition, PollingStrategy.Offset(value=len(expected)), PAGE)
            compare("offset beyond the end", partition, len(expected), beyond, [])

    async def by_timestamp(self) -> None:
        for partition, expected in enumerate(self.expected):
            for stamp, first, count in self.runs[partition]:
                page = await self.poll(partition, PollingStrategy.Timestamp(value=stamp), count)
                compare(f"timestamp {stamp}", partition, first, page, expected[first : first + count])
            latest = self.runs[partition][-1][0]
            later = await self.poll(partition, PollingStrategy.Timestamp(value=latest + 1), PAGE)
            compare("timestamp after the last message", partition, len(expected), later, [])

    async def first(self) -> None:
        for partition, expected in enumerate(self.expected):
            compare("first", partition, 0, await self.poll(partition, PollingStrategy.First(), len(expected)), expected)

    async def last(self) -> None:
        for partition, expected in enumerate(self.expected):
            compare("last", partition, 0, await self.poll(partition, PollingStrategy.Last(), len(expected)), expected)
            tail = await self.poll(partition, PollingStrategy.Last(), 7)
            compare("last 7", partition, len(expected) - 7, tail, expected[-7:])

    async def next(self) -> None:
        for partition, expected in enumerate(self.expected):
            for start in range(0, len(expected), PAGE):
                page = await self.poll(partition, PollingStrategy.Next(), PAGE, auto_commit=True)
                compare("next", partition, start, page, expected[start : start + PAGE])
            await self.next_is(partition, len(expected), [])

    async def next_is(self, partition: int, offset: int, expected: list[bytes]) -> None:
        page = await self.poll(partition, PollingStrategy.Next(), PAGE, auto_commit=True)
        compare("next at the end", partition, offset, page, expected)

    async def timed(self, what: str, read) -> None:
        started = time.perf_counter()
        await read()
        report(what, self.messages, self.size_bytes, started)

    async def everything_but_next(self) -> None:
        await self.timed("poll by offset", self.by_offset)
        await self.timed("poll by timestamp", self.by_timestamp)
        await self.timed("poll first", self.first)
        await self.timed("poll last", self.last)


async def check_counts(client: IggyClient, messages: int) -> None:
    stream = await client.get_stream(STREAM)
    topic = await client.get_topic(STREAM, TOPIC)
    check(stream is not None and topic is not None, "stream or topic is missing")
    check(stream.name == STREAM and stream.topics_count == 1, f"stream is {stream.name} with {stream.topics_count} topics")
    check(topic.name == TOPIC and topic.partitions_count == contents.PARTITIONS, "topic has another name or size")
    check(stream.messages_count == messages, f"stream has {stream.messages_count} messages instead of {messages}")
    check(topic.messages_count == messages, f"topic has {topic.messages_count} messages instead of {messages}")


async def main(step: str, address: str) -> None:
    print(f"python {platform.python_version()}, apache-iggy {importlib.metadata.version('apache-iggy')}: {step}")
    client = await connect(address)
    if step == "send":
        check(await client.get_stream(STREAM) is None, "the stream is there already")
        await client.create_stream(STREAM)
        await client.create_topic(STREAM, TOPIC, contents.PARTITIONS)
        await send(client, 0, contents.MESSAGES)
        await check_counts(client, contents.MESSAGES)
        return
    expected = contents.by_partition()
    reader = Reader(client, expected)
    if step == "again":
        for partition, messages in enumerate(expected):
            await reader.next_is(partition, len(messages), [])
    await check_counts(client, contents.MESSAGES)
    await reader.everything_but_next()
    if step == "poll":
        await reader.timed("poll next, committing", reader.next)
        return
    await send(client, contents.MESSAGES, ADDED)
    for partition, messages in enumerate(contents.by_partition(contents.MESSAGES, ADDED)):
        await reader.next_is(partition, len(expected[partition]), messages)
    await check_counts(client, contents.MESSAGES + ADDED)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2]))
    sys.stdout.flush()
    os._exit(0)  # the package's own threads now and then abort the interpreter while it takes itself apart
