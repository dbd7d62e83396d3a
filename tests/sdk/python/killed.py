"""Sends until the broker is killed, and looks afterwards what is there. CONTENT_MESSAGES is where the messages begin.

    killed.py send HOST:PORT           sends one batch after the other until that fails; prints how many are acknowledged
    killed.py poll HOST:PORT BATCHES   BATCHES are acknowledged: all of them are there, and behind them at most one more
"""

import asyncio
import os
import sys

import contents
import generations
from apache_iggy import IggyClient, PollingStrategy, SendMessage
from conformance import PAGE, STREAM, TOPIC, check, compare, connect

# More than anybody sends before the broker is killed.
ENDLESS = 1_000_000


async def send(client: IggyClient) -> None:
    acknowledged = 0
    for partition, batch in contents.batches(contents.MESSAGES, ENDLESS):
        try:
            sending = client.send_messages(STREAM, TOPIC, partition, [SendMessage(content) for content in batch])
            await asyncio.wait_for(sending, 3)
        except (RuntimeError, asyncio.TimeoutError):
            return
        acknowledged += 1
        print(f"acknowledged {acknowledged}", flush=True)


async def poll(client: IggyClient, acknowledged: int) -> None:
    expected = contents.by_partition()
    least = [len(partition) for partition in expected]
    for number, (partition, batch) in enumerate(contents.batches(contents.MESSAGES, ENDLESS)):
        expected[partition].extend(contents.as_bytes(content) for content in batch)
        if number < acknowledged:
            least[partition] += len(batch)
        elif number == acknowledged:
            break
    for partition, messages in enumerate(expected):
        start = 0
        while True:
            strategy = PollingStrategy.Offset(value=start)
            page = await generations.poll(client, STREAM, TOPIC, partition, strategy, PAGE, False)
            if len(page) == 0:
                break
            compare("after the kill", partition, start, page, messages[start : start + len(page)])
            start += len(page)
        check(start in (least[partition], len(messages)), f"partition {partition} has {start} messages, not {least[partition]}")
    print(f"after the kill: all of {acknowledged} acknowledged batches are there")


async def main(step: str, address: str, *arguments: str) -> None:
    client = await connect(address)
    if step == "send":
        await send(client)
    else:
        await poll(client, int(arguments[0]))


asyncio.run(main(*sys.argv[1:]))
sys.stdout.flush()
os._exit(0)  # the package's own threads now and then abort the interpreter while it takes itself apart
