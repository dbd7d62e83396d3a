"""A tour over what the package `apache-iggy` 0.9.0 offers, as published. Ends with 0 when everything was answered rightly.

    tour_09.py tcp|websocket|quic|http HOST:PORT [CA_FILE]     with a CA file over TLS
"""

import asyncio
import os
import sys
from datetime import timedelta

from apache_iggy import AutoLogin, Durability, IggyClient, IggyExpiry, MaxTopicSize, PollingStrategy, SendMessage
from tour_09_groups import consumers, groups, offsets_by_hand
from tour_09_messages import contents, partitionings, strategies
from tour_09_support import STREAM, TOPIC, Tour, chapter, check, counts, equal, poll, refused
from tour_09_users import users


async def sessions(tour: Tour) -> None:
    client = await tour.guest()
    await client.ping()
    await refused("streams without a login", client.get_streams(), "unauthenticated", "unauthorized")
    await refused("a wrong password", client.login_user("iggy", "wrong-password"), "invalid credentials")
    await refused("an unknown user", client.login_user("nobody", "password"), "invalid credentials")
    await client.login_user("iggy", "iggy")
    await client.get_streams()
    await client.ping()
    if tour.has_sessions:
        await client.logout_user()
        await refused("streams after the logout", client.get_streams(), "unauthenticated")
        await client.login_user("iggy", "iggy")
        await client.get_streams()
        automatic = tour.client(AutoLogin.username_password("iggy", "iggy"))
        await automatic.connect()
        await automatic.get_streams()
    print("ok logins, wrong and right on one connection")


async def streams(client: IggyClient) -> None:
    equal("an unknown stream", await client.get_stream("unknown"), None)
    before = len(await client.get_streams())
    await client.create_stream(STREAM)
    await refused("the same name", client.create_stream(STREAM), "already exists")
    await client.create_stream("python-09-other")
    other = await client.get_stream("python-09-other")
    await client.update_stream(other.id, "python-09-renamed")
    equal("the renamed stream", (await client.get_stream(other.id)).name, "python-09-renamed")
    await refused("a name that is taken", client.update_stream(other.id, STREAM), "already exists")
    await refused("an option", client.update_stream(other.id, "new", {"colour": "green"}), "option")
    equal("streams", len(await client.get_streams()), before + 2)
    await client.delete_stream(other.id)
    await refused("delete it again", client.delete_stream(other.id), "not found")
    equal("streams", len(await client.get_streams()), before + 1)
    stream = await client.get_stream(STREAM)
    equal("an empty stream", (stream.name, stream.topics_count, stream.messages_count, stream.size), (STREAM, 0, 0, 0))
    print("ok streams")


def named(options) -> dict:
    return dict(options.to_scalar_dict())


async def topics(client: IggyClient) -> None:
    described = {option.key: option for option in await client.describe_options("topic")}
    for key in ("compression_algorithm", "message_expiry", "max_topic_size", "durability", "consumer_offset_durability"):
        check(key in described and described[key].description != "", f"{key} is not described")
    equal("the default durability", described["durability"].default_value.value, "replicated")
    equal("options of streams and users", [await client.describe_options(scope) for scope in ("stream", "user")], [[], []])

    await client.create_topic(STREAM, TOPIC, 3)
    await refused("the same name", client.create_topic(STREAM, TOPIC, 1), "already exists")
    topic = await client.get_topic(STREAM, TOPIC)
    equal("a topic", (topic.name, topic.partitions_count, topic.messages_count, topic.size), (TOPIC, 3, 0, 0))
    equal("compression", topic.compression_algorithm, "none")
    check(isinstance(topic.message_expiry, IggyExpiry.NeverExpire), f"the expiry is {topic.message_expiry!r}")
    check(isinstance(topic.max_topic_size, MaxTopicSize.Unlimited), f"the size is {topic.max_topic_size!r}")
    equal("partitions", [partition.id for partition in topic.partitions], [0, 1, 2])

    hour = timedelta(hours=1)
    await client.create_topic(
        STREAM,
        "options",
        1,
        compression_algorithm="gzip",
        message_expiry=IggyExpiry.ExpireDuration(hour),
        max_topic_size=MaxTopicSize.Custom(4_000_000_000),
        durability=Durability.PERSISTED,
    )
    topic = await client.get_topic(STREAM, "options")
    limits = (topic.compression_algorithm, topic.message_expiry.duration, topic.max_topic_size.bytes)
    equal("the options", limits, ("gzip", hour, 4_000_000_000))
    effective = named(topic.derived_options) | named(topic.options)
    equal("durability", (named(topic.options)["durability"], effective["consumer_offset_durability"]), ("persisted", "replicated"))
    await client.send_messages(STREAM, "options", 0, [SendMessage("persisted")])
    await client.update_topic(STREAM, "options", "renamed", compression_algorithm="none")
    topic = await client.get_topic(STREAM, "renamed")
    limits = (topic.compression_algorithm, topic.message_expiry.duration, topic.max_topic_size.bytes)
    equal("the options that were not named", limits, ("none", hour, 4_000_000_000))
    equal("messages", topic.messages_count, 1)
    await refused("an unknown option", client.create_topic(STREAM, "new", 1, options={"colour": "green"}), "option")
    await refused("an option of the wrong kind", client.create_topic(STREAM, "new", 1, segment_size=7), "option", "segment")
    equal("topics", sorted(topic.name for topic in await client.get_topics(STREAM)), [TOPIC, "renamed"])
    await client.delete_topic(STREAM, "renamed")
    equal("the deleted topic", await client.get_topic(STREAM, "renamed"), None)
    await refused("delete it again", client.delete_topic(STREAM, "renamed"), "not found")
    print("ok topics and their options")


async def partitions(client: IggyClient) -> None:
    await client.create_partitions(STREAM, TOPIC, 2)
    equal("partitions", len(await counts(client)), 5)
    await client.send_messages(STREAM, TOPIC, 4, [SendMessage("in the last one")])
    await client.delete_partitions(STREAM, TOPIC, 2)
    equal("partitions", len(await counts(client)), 3)
    gone = client.send_messages(STREAM, TOPIC, 4, [SendMessage("lost")])
    await refused("send to a deleted partition", gone, "partition")
    print("ok partitions")


async def purge_and_delete(client: IggyClient) -> None:
    stats = await client.get_stats()
    check(stats.messages_count > 0 and stats.clients_count >= 0 and stats.hostname != "", "statistics are missing")
    await client.purge_topic(STREAM, TOPIC)
    equal("messages after the purge", await counts(client), [0, 0, 0])
    equal("a poll after the purge", await poll(client, 0, PollingStrategy.First(), 10), [])
    [place] = (await client.send_messages(STREAM, TOPIC, 0, [SendMessage("anew")])).confirmations
    equal("the first offset after the purge", place.base_offset, 0)
    await client.purge_stream(STREAM)
    equal("messages of the stream", (await client.get_stream(STREAM)).messages_count, 0)
    await client.delete_topic(STREAM, TOPIC)
    equal("topics", await client.get_topics(STREAM), [])
    await client.delete_stream(STREAM)
    equal("the deleted stream", await client.get_stream(STREAM), None)
    print("ok purge and delete")


async def main(transport: str, address: str, ca_file: str | None = None) -> None:
    tour = Tour(transport, address, ca_file)
    await chapter(sessions(tour))
    client = await tour.login()
    await chapter(streams(client))
    await chapter(topics(client))
    await chapter(contents(client))
    await chapter(strategies(client))
    await chapter(partitionings(client))
    await chapter(partitions(client))
    await chapter(groups(tour, client))
    if tour.has_sessions:
        await chapter(consumers(tour, client))
        await chapter(offsets_by_hand(client))
    await chapter(users(tour, client))
    await chapter(purge_and_delete(client))
    await client.logout_user()
    print(f"the tour over {transport} is complete")


asyncio.run(main(*sys.argv[1:]))
sys.stdout.flush()
os._exit(0)  # the package's own threads now and then abort the interpreter while it takes itself apart
