"""Consumers of a partition with damaged messages, with the package `apache-iggy` as published: they get all the others.

    damaged.py send HOST:PORT COUNT             makes stream and topic, sends COUNT messages
    damaged.py poll HOST:PORT COUNT DAMAGED...  reads them, by poll and as a group, without those with the offsets DAMAGED
"""

import asyncio
import datetime
import os
import sys

from apache_iggy import AutoCommit, AutoCommitWhen, IggyClient, PollingStrategy, SendMessage

STREAM = "python-damaged"
TOPIC = "events"
BATCH = 10


def contents(count: int) -> list[str]:
    return [f"message {index} {'x' * (index % 50)}" for index in range(count)]


async def poll(client: IggyClient, strategy_after) -> list[tuple[int, str]]:
    """Polls until two answers in a row are empty."""
    seen: list[tuple[int, str]] = []
    empty = 0
    while empty < 2:
        strategy = strategy_after(seen)
        page = await client.poll_messages(STREAM, TOPIC, 0, strategy, 7, isinstance(strategy, PollingStrategy.Next))
        empty = empty + 1 if len(page) == 0 else 0
        seen.extend((message.offset(), message.payload().decode()) for message in page)
    return seen


async def consume(client: IggyClient, count: int) -> list[tuple[int, str]]:
    """What an iterating consumer of a group gets, `count` messages and no more within a second."""
    consumer = await client.consumer_group(
        "readers",
        STREAM,
        TOPIC,
        polling_strategy=PollingStrategy.Next(),
        batch_length=7,
        auto_commit=AutoCommit.When(AutoCommitWhen.PollingMessages()),
        poll_interval=datetime.timedelta(milliseconds=10),
    )
    seen: list[tuple[int, str]] = []
    messages = consumer.iter_messages()
    try:
        while True:
            message = await asyncio.wait_for(anext(messages), 10 if len(seen) < count else 1)
            seen.append((message.offset(), message.payload().decode()))
    except asyncio.TimeoutError:
        return seen


async def main(step: str, address: str, count: int, damaged: list[int]) -> None:
    client = IggyClient(address)
    await client.connect()
    await client.login_user("iggy", "iggy")
    sent = contents(count)
    if step == "send":
        await client.create_stream(STREAM)
        await client.create_topic(STREAM, TOPIC, partitions_count=1)
        for first in range(0, count, BATCH):
            await client.send_messages(STREAM, TOPIC, 0, [SendMessage(text) for text in sent[first : first + BATCH]])
        return
    wanted = [(offset, text) for offset, text in enumerate(sent) if offset not in damaged]
    ways = {
        "next": await poll(client, lambda seen: PollingStrategy.Next()),
        "offset": await poll(client, lambda seen: PollingStrategy.Offset(value=seen[-1][0] + 1 if seen else 0)),
        "group": await consume(client, len(wanted)),
    }
    for way, seen in ways.items():
        if seen != wanted:
            raise AssertionError(f"{way}: {len(seen)} messages instead of {len(wanted)}: {[offset for offset, _ in seen]}")
        print(f"{way}: {len(seen)} messages, all but {damaged}")


asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3]), [int(offset) for offset in sys.argv[4:]]))
sys.stdout.flush()
os._exit(0)  # the package's own threads now and then abort the interpreter while it takes itself apart
