"""Talks to a broker over the transport of a connection string, with the package `apache-iggy` as published.

    transports.py CONNECTION_STRING     logs in, makes stream and topic, sends, reads back; ends with 0 if all was right
"""

import asyncio
import os
import sys

from apache_iggy import IggyClient, PollingStrategy, SendMessage

STREAM = "python-transports"
TOPIC = "events"
COUNT = 2_000


async def main(connection_string: str) -> None:
    client = IggyClient.from_connection_string(connection_string)
    await client.connect()
    if connection_string.startswith("iggy+http"):
        await client.login_user("iggy", "iggy")  # there is no connection that would do it
    await client.ping()
    await client.create_stream(STREAM)
    await client.create_topic(STREAM, TOPIC, partitions_count=2)
    contents = [f"message {index} ünïcode {'x' * (index % 300)}" for index in range(COUNT)]
    for partition in (0, 1):
        await client.send_messages(STREAM, TOPIC, partition, [SendMessage(content) for content in contents])
    for partition in (0, 1):
        received = await client.poll_messages(STREAM, TOPIC, partition, PollingStrategy.First(), COUNT + 1, False)
        texts = [message.payload().decode() for message in received]
        if texts != contents:
            raise AssertionError(f"partition {partition}: {len(texts)} messages, not those that were sent")
    try:
        await client.create_stream(STREAM)
    except RuntimeError:
        print(f"{connection_string.split(':')[0]}: {2 * COUNT} messages came back")
        return
    raise AssertionError("the same stream was made twice")


asyncio.run(main(sys.argv[1]))
sys.stdout.flush()
os._exit(0)  # the package's own threads now and then abort the interpreter while it takes itself apart
