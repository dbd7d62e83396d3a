"""Users, their rights and their tokens, in the tour of `apache-iggy` 0.9.0."""

import struct

from apache_iggy import (
    AutoLogin,
    GlobalPermissions,
    IggyClient,
    Partitioning,
    Permissions,
    PollingStrategy,
    SendMessage,
    StreamPermissions,
    TopicPermissions,
    UserStatus,
)
from tour_09_support import STREAM, TOPIC, Tour, check, equal, poll, refused


async def users(tour: Tour, root: IggyClient) -> None:
    stream = (await root.get_stream(STREAM)).id
    topic = (await root.get_topic(STREAM, TOPIC)).id
    rights = Permissions(
        global_permissions=GlobalPermissions(read_servers=True),
        streams={stream: StreamPermissions(topics={topic: TopicPermissions(poll_messages=True, send_messages=True)})},
    )
    created = await root.create_user("python-old", "first-secret", UserStatus.Active, rights)
    equal("the user", (created.username, created.status, created.permissions), ("python-old", UserStatus.Active, rights))
    await refused("the same name", root.create_user("python-old", "secret"), "already exists")
    await root.update_user("python-old", "python-user", UserStatus.Inactive)
    inactive = (await tour.guest()).login_user("python-user", "first-secret")
    await refused("the login of an inactive user", inactive, "invalid credentials", "inactive")
    await root.update_user("python-user", status=UserStatus.Active)
    equal("the renamed user", (await root.get_user(created.id)).username, "python-user")
    check("python-user" in [user.username for user in await root.get_users()], "the user is not in the list")

    user = await tour.login("python-user", "first-secret")
    await user.change_password("python-user", "first-secret", "second-secret")
    wrong = user.change_password("python-user", "first-secret", "third-secret")
    await refused("the wrong current password", wrong, "invalid credentials")
    user = await tour.login("python-user", "second-secret")
    await user.send_messages(STREAM, TOPIC, 0, [SendMessage("by a user")])
    check(len(await poll(user, 0, PollingStrategy.Last(), 1)) == 1, "nothing came")
    await user.get_stats()
    denied = {
        "users": user.get_users(),
        "a stream": user.create_stream("python-new"),
        "a topic": user.create_topic(STREAM, "new", 1),
        "partitions": user.create_partitions(STREAM, TOPIC, 1),
        "a purge": user.purge_topic(STREAM, TOPIC),
    }
    for what, call in denied.items():
        await refused(what, call, "unauthorized")
    if tour.has_sessions:
        # To balance, the client reads the topic first.
        balanced = user.send_messages(STREAM, TOPIC, Partitioning.balanced(), [SendMessage("balanced")])
        await refused("a balanced send without the right to read", balanced, "unauthorized")
    await root.update_permissions("python-user", None)
    await refused("a send without rights", user.send_messages(STREAM, TOPIC, 0, [SendMessage("denied")]), "unauthorized")
    equal("no rights", (await root.get_user("python-user")).permissions, None)
    if tour.has_sessions:
        await tokens(tour)
    await root.delete_user("python-user")
    equal("the deleted user", await root.get_user("python-user"), None)
    await refused("delete root", root.delete_user("iggy"), "delete", "root")
    print("ok users, rights and tokens")


async def tokens(tour: Tour) -> None:
    """The package makes no tokens, but it logs in with them; the command that makes one can be sent as bytes."""
    user = await tour.login("python-user", "second-secret")
    name = b"token"
    answer = await user.send_binary_request(42, bytes([len(name)]) + name + struct.pack("<Q", 0))
    token = answer[1 : 1 + answer[0]].decode()
    bearer = tour.client(AutoLogin.personal_access_token(token))
    await bearer.connect()
    await refused("users for the bearer of the token", bearer.get_users(), "unauthorized")
    await user.send_binary_request(43, bytes([len(name)]) + name)
    gone = tour.client(AutoLogin.personal_access_token(token))
    await refused("the deleted token", gone.connect(), "token", "credentials")
