"""The messages of the conformance run: the same for every process that asks, so that nothing has to be kept in between."""

import os
import random

PARTITIONS = 3
MESSAGES = int(os.environ.get("CONTENT_MESSAGES", "100000"))
BATCH_MESSAGES_MAX = 1_000
BATCH_BYTES_MAX = 4_000_000

# One in so many messages is this large; everything else has at most 700 bytes.
LARGE = [(5_000, 1_048_576), (1_000, 100_000), (100, 10_000)]
ALPHABET = "aZ09 äßéñ čžş Ωжש 日本語 한국 😀🚀‰\u0000\n\"\\"


def payload(index: int) -> str | bytes:
    """Message number `index`: text in several scripts or random bytes, 1 byte to 1 MiB."""
    source = random.Random(index)
    for every, size in LARGE:
        if index % every == every - 1:
            return source.randbytes(size)
    if index % 10 == 0:
        return "x" if index % 20 == 0 else b"\x00"
    if index % 2 == 0:
        return "".join(source.choices(ALPHABET, k=source.randint(1, 200)))
    return source.randbytes(source.randint(1, 700))


def as_bytes(content: str | bytes) -> bytes:
    return content.encode() if isinstance(content, str) else content


def batches(first: int = 0, count: int = MESSAGES):
    """Yields (partition, payloads) in the order in which they are sent."""
    batch: list[str | bytes] = []
    size = 0
    number = 0
    for index in range(first, first + count):
        content = payload(index)
        content_bytes = len(as_bytes(content))
        if batch and (len(batch) == BATCH_MESSAGES_MAX or size + content_bytes > BATCH_BYTES_MAX):
            yield number % PARTITIONS, batch
            number += 1
            batch, size = [], 0
        batch.append(content)
        size += content_bytes
    if batch:
        yield number % PARTITIONS, batch


def by_partition(first: int = 0, count: int = MESSAGES) -> list[list[bytes]]:
    """What each partition should hold, in the order of the offsets."""
    partitions: list[list[bytes]] = [[] for _ in range(PARTITIONS)]
    for partition, batch in batches(first, count):
        partitions[partition].extend(as_bytes(content) for content in batch)
    return partitions
