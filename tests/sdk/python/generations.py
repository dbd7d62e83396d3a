"""The call that the packages of Iggy 0.8 and 0.9 offer in different ways."""

import apache_iggy


async def poll(client, stream: str, topic: str, partition: int, strategy, count: int, auto_commit: bool):
    """Polls one partition as the consumer that the package of 0.8 is when nothing is said: number 0."""
    if not hasattr(apache_iggy, "Consumer"):
        return await client.poll_messages(stream, topic, partition, strategy, count, auto_commit)
    return await client.poll_messages(
        stream,
        topic,
        consumer=apache_iggy.Consumer.Single(0),
        polling_strategy=strategy,
        count=count,
        auto_commit=auto_commit,
        partition_id=partition,
    )
