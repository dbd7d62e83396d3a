"""The Python part of the mixed tour: produces, and is a member of the group, with the package `apache-iggy` 0.9.0.

    mixed.py HOST:PORT STREAM TOPIC GROUP PARTITIONS

Produces and consumes until the first line on stdin, then only consumes until stdin ends. Writes what `mixed-ledger.ts`
reads; the package commits by hand only in consumer objects, so this member commits with each poll.
"""

import asyncio
import os
import random
import sys
import time
import zlib
from datetime import timedelta

from apache_iggy import AutoLogin, Consumer, IggyClient, Partitioning, PollingStrategy, SendMessage, TcpConfig

NAME = "python-09"


def now() -> int:
    """Microseconds of the system's clock, which all processes of the tour share."""
    return time.time_ns() // 1_000


def record(*fields) -> None:
    print(*fields, sep="\t", flush=True)


async def connect(address: str) -> IggyClient:
    login = AutoLogin.username_password("iggy", "iggy")
    # A member learns of another assignment with its heartbeat.
    client = IggyClient(TcpConfig(server_address=address, auto_login=login, heartbeat_interval=timedelta(milliseconds=500)))
    await client.connect()
    return client


async def produce(address: str, stream: str, topic: str, partitions: int, stop: asyncio.Event) -> None:
    client = await connect(address)
    source = random.Random(11)
    number = 0
    while not stop.is_set():
        batch = [
            f"{NAME} {number + index} ".encode() + source.randbytes(source.randrange(300))
            for index in range(source.randint(1, 20))
        ]
        partitioning = source.choice(
            [
                Partitioning.balanced(),
                Partitioning.partition_id(source.randrange(partitions)),
                Partitioning.messages_key(source.randbytes(4)),
            ]
        )
        messages = [SendMessage(content, user_headers={"producer": NAME}) for content in batch]
        [place] = (await client.send_messages(stream, topic, partitioning, messages)).confirmations
        sums = ",".join(str(zlib.crc32(content)) for content in batch)
        record("sent", NAME, number, sums, place.partition_id, place.base_offset)
        number += len(batch)
        await asyncio.sleep(source.uniform(0.005, 0.025))
    record("done", NAME)


async def consume(address: str, stream: str, topic: str, group: str, stop: asyncio.Event) -> None:
    member = f"{NAME}-restless"
    client = await connect(address)
    source = random.Random(13)
    is_member = False
    while not stop.is_set():
        started = now()
        if not is_member:
            await client.join_consumer_group(stream, topic, group)
            record("member", member, "joined", started, now())
            is_member = True
        started = now()
        page = await client.poll_messages(
            stream,
            topic,
            consumer=Consumer.Group(group),
            polling_strategy=PollingStrategy.Next(),
            count=source.randint(1, 50),
            auto_commit=True,
        )
        ended = now()
        if len(page) == 0:
            await asyncio.sleep(0.005)
        else:
            first = page[0].offset()
            if [message.offset() for message in page] != list(range(first, first + len(page))):
                record("member", member, "a poll with a gap between its offsets", started, ended)
            sums = ",".join(str(zlib.crc32(message.payload())) for message in page)
            record("polled", member, page[0].partition_id(), first, sums, started, ended, "ok", ended)
        # Every other second nobody leaves and nothing is cut: whatever comes twice then is wrong.
        if time.time_ns() // 1_000_000_000 % 2 == 0 and source.random() < 0.03:
            started = now()
            await client.leave_consumer_group(stream, topic, group)
            record("member", member, "left", started, now())
            is_member = False
            await asyncio.sleep(source.uniform(0.1, 0.4))
    if is_member:
        started = now()
        await client.leave_consumer_group(stream, topic, group)
        record("member", member, "left", started, now())


async def main(address: str, stream: str, topic: str, group: str, partitions: str) -> None:
    stop_producing, stop_consuming = asyncio.Event(), asyncio.Event()

    async def listen() -> None:
        await asyncio.to_thread(sys.stdin.readline)
        stop_producing.set()
        await asyncio.to_thread(sys.stdin.read)
        stop_consuming.set()

    await asyncio.gather(
        listen(),
        produce(address, stream, topic, int(partitions), stop_producing),
        consume(address, stream, topic, group, stop_consuming),
    )


asyncio.run(main(*sys.argv[1:]))
sys.stdout.flush()
os._exit(0)  # the package's own threads now and then abort the interpreter while it takes itself apart
