"""Groups, their consumer objects, and offsets, in the tour of `apache-iggy` 0.9.0."""

import asyncio
from datetime import timedelta

from apache_iggy import AutoCommit, AutoCommitWhen, Consumer, IggyClient, PollingStrategy, SendMessage
from tour_09_support import GROUP, STREAM, TOPIC, Tour, check, counts, equal, offsets, poll, refused


async def lists(client: IggyClient, name: str) -> list[list[int]]:
    group = await client.get_consumer_group(STREAM, TOPIC, name)
    equal("members", group.members_count, len(group.members))
    return sorted(sorted(member.partitions) for member in group.members)


async def group_poll(client: IggyClient, count: int, commit: bool):
    arguments = {"polling_strategy": PollingStrategy.Next(), "count": count, "auto_commit": commit}
    return await client.poll_messages(STREAM, TOPIC, consumer=Consumer.Group(GROUP), **arguments)


async def groups(tour: Tour, first: IggyClient) -> None:
    await first.create_consumer_group(STREAM, TOPIC, GROUP)
    await refused("the same name", first.create_consumer_group(STREAM, TOPIC, GROUP), "already exists")
    equal("groups", [group.name for group in await first.get_consumer_groups(STREAM, TOPIC)], [GROUP])
    equal("an unknown group", await first.get_consumer_group(STREAM, TOPIC, "unknown"), None)
    if not tour.has_sessions:
        await refused("join over HTTP", first.join_consumer_group(STREAM, TOPIC, GROUP), "feature is unavailable")
        await first.delete_consumer_group(STREAM, TOPIC, GROUP)
        return
    await refused("leave without joining", first.leave_consumer_group(STREAM, TOPIC, GROUP), "member")
    await refused("poll without joining", group_poll(first, 1, False), "member")
    second = await tour.login()
    await first.join_consumer_group(STREAM, TOPIC, GROUP)
    equal("one member", await lists(first, GROUP), [[0, 1, 2]])
    await second.join_consumer_group(STREAM, TOPIC, GROUP)
    # A partition may move a moment after the join is answered.
    async with asyncio.timeout(10):
        while await lists(first, GROUP) != [[0, 1], [2]] or await lists(second, GROUP) != [[0, 1], [2]]:
            await asyncio.sleep(0.01)

    total = sum(await counts(first))
    seen: dict[tuple[int, int], bytes] = {}
    by_client = [0, 0]
    async with asyncio.timeout(20):
        while len(seen) < total:
            for index, client in enumerate((first, second)):
                for message in await group_poll(client, 50, True):
                    place = (message.partition_id(), message.offset())
                    check(place not in seen, f"{place} came twice")
                    seen[place] = message.payload()
                    by_client[index] += 1
    check(min(by_client) > 0, f"one member read everything: {by_client}")
    for partition in range(3):
        stored = await poll(first, partition, PollingStrategy.First(), total)
        equal("contents", [message.payload() for message in stored], [seen[partition, offset] for offset in offsets(stored)])

    await second.leave_consumer_group(STREAM, TOPIC, GROUP)
    equal("one member again", await lists(first, GROUP), [[0, 1, 2]])
    for partition in range(3):
        await first.send_messages(STREAM, TOPIC, partition, [SendMessage(f"late {partition}")])
    late: list[bytes] = []
    async with asyncio.timeout(20):
        while len(late) < 3:
            late.extend(message.payload() for message in await group_poll(first, 10, True))
    equal("read by the one that is left", sorted(late), [b"late 0", b"late 1", b"late 2"])
    await first.delete_consumer_group(STREAM, TOPIC, GROUP)
    await refused("poll of a deleted group", group_poll(first, 1, False), "member", "group")
    print("ok a group with two members")


async def consumers(tour: Tour, client: IggyClient) -> None:
    """Consumer objects of a group: both get their share, offsets are stored as they say."""
    other = await tour.login()
    arguments = {
        "polling_strategy": PollingStrategy.Next(),
        "batch_length": 20,
        "auto_commit": AutoCommit.When(AutoCommitWhen.PollingMessages()),
        "poll_interval": timedelta(milliseconds=5),
    }
    first = await client.consumer_group("objects", STREAM, TOPIC, **arguments)
    second = await other.consumer_group("objects", STREAM, TOPIC, **arguments)
    total = sum(await counts(client))
    seen: set[tuple[int, int]] = set()
    done = asyncio.Event()
    by_second = 0

    async def take(message) -> None:
        place = (message.partition_id(), message.offset())
        check(place not in seen, f"{place} came twice")
        seen.add(place)
        if len(seen) == total:
            done.set()

    async def iterate() -> None:
        nonlocal by_second
        async for message in second.iter_messages():
            by_second += 1
            await take(message)

    iterating = asyncio.create_task(iterate())
    async with asyncio.timeout(30):
        await first.consume_messages(take, done)
    iterating.cancel()
    equal("messages", len(seen), total)
    check(0 < by_second < total, f"the second consumer read {by_second} of {total}")
    equal("names", (first.name(), first.stream(), first.topic()), ("objects", STREAM, TOPIC))
    # By a client of its own: each of those above may be held by the poll that its consumer has under way (docs/clients.md).
    admin = await tour.login()
    await admin.delete_consumer_group(STREAM, TOPIC, "objects")
    print("ok consumer objects")


async def offsets_by_hand(client: IggyClient) -> None:
    consumer = await client.consumer_group(
        "by-hand",
        STREAM,
        TOPIC,
        polling_strategy=PollingStrategy.Next(),
        batch_length=5,
        auto_commit=AutoCommit.Disabled(),
        poll_interval=timedelta(milliseconds=5),
    )
    message = await asyncio.wait_for(anext(consumer.iter_messages()), 10)
    partition = message.partition_id()
    await consumer.store_offset(message.offset(), partition)
    equal("the stored offset", consumer.get_last_stored_offset(partition), message.offset())
    await consumer.delete_offset(partition)
    await refused("delete it again", consumer.delete_offset(partition), "not found", "offset")
    last = (await counts(client))[partition] - 1
    await refused("an offset past the end", consumer.store_offset(last + 1, partition), "offset")
    await client.delete_consumer_group(STREAM, TOPIC, "by-hand")
    print("ok offsets")
