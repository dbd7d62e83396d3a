"""What every chapter of the tour of `apache-iggy` 0.9.0 uses: clients of each transport, and checks that name what is wrong."""

import asyncio
import os
import sys
from datetime import timedelta

from apache_iggy import AutoLogin, Consumer, HttpConfig, IggyClient, QuicConfig, TcpConfig, WebSocketConfig

STREAM = "python-09-ünïcode"
TOPIC = "events"
GROUP = "readers"
READER = Consumer.Single("python-reader")
# A member learns of another assignment with its heartbeat.
HEARTBEAT = timedelta(milliseconds=200)
CHAPTER_SECONDS = 90


async def chapter(steps) -> None:
    """Runs one chapter; one that does not end in time ends the tour, and says where it stands."""
    task = asyncio.ensure_future(steps)
    _, late = await asyncio.wait({task}, timeout=CHAPTER_SECONDS)
    if late:
        print(f"failed: the chapter {steps.__name__} did not end within {CHAPTER_SECONDS} seconds")
        task.print_stack(file=sys.stdout)
        sys.stdout.flush()
        os._exit(1)  # a call that hangs may not let itself be cancelled
    await task


def check(is_right: bool, message: str) -> None:
    if not is_right:
        raise AssertionError(message)


def equal(what: str, actual, expected) -> None:
    check(actual == expected, f"{what} is {actual!r} instead of {expected!r}")


async def refused(what: str, call, *texts: str) -> None:
    """The call has to fail, with a message that has one of the texts in it."""
    try:
        answer = await call
    except (RuntimeError, ValueError) as error:
        said = str(error)
        check(any(text.lower() in said.lower() for text in texts), f"{what} failed with {said!r}, not with one of {texts}")
        return
    raise AssertionError(f"{what} succeeded with {answer!r}")


class Tour:
    def __init__(self, transport: str, address: str, ca_file: str | None):
        self.transport = transport
        self.address = address
        self.ca_file = ca_file
        # HTTP has no connections: nobody can be a member of a group, and the broker chooses the partitions.
        self.has_sessions = transport != "http"

    def client(self, login: AutoLogin | None = None) -> IggyClient:
        tls = {"tls_enabled": True, "tls_domain": "localhost", "tls_ca_file": self.ca_file} if self.ca_file else {}
        # WebSocket does not look at the certificate unless it is asked to.
        strict = {"tls_validate_certificate": True} if self.ca_file else {}
        common = {"heartbeat_interval": HEARTBEAT, "auto_login": login or AutoLogin.disabled()}
        match self.transport:
            case "tcp":
                return IggyClient(TcpConfig(server_address=self.address, **common, **tls, **strict))
            case "websocket":
                return IggyClient(WebSocketConfig(server_address=self.address, **common, **tls, **strict))
            case "quic":
                return IggyClient(QuicConfig(server_address=self.address, **common))
        return IggyClient(HttpConfig(api_url=f"http://{self.address}", heartbeat_interval=HEARTBEAT))

    async def guest(self) -> IggyClient:
        client = self.client()
        await client.connect()
        return client

    async def login(self, name: str = "iggy", password: str = "iggy") -> IggyClient:
        client = await self.guest()
        await client.login_user(name, password)
        return client


async def poll(client: IggyClient, partition: int, strategy, count: int, commit: bool = False, consumer=READER):
    arguments = {"consumer": consumer, "polling_strategy": strategy, "count": count, "auto_commit": commit}
    return await client.poll_messages(STREAM, TOPIC, partition_id=partition, **arguments)


def offsets(messages) -> list[int]:
    return [message.offset() for message in messages]


async def counts(client: IggyClient) -> list[int]:
    topic = await client.get_topic(STREAM, TOPIC)
    return [partition.messages_count for partition in topic.partitions]
