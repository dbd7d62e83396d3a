//! Users, their rights, what they are denied, and personal access tokens.
use crate::generation::{Calls, inactive_user, unknown_token};
use crate::tour::{Outcome, ROOT, Tour, equal, holds, id, number, ok, present, refused};
use iggy::prelude::*;
use std::collections::BTreeMap;
use std::time::Duration;

const NAME: &str = "rust-user";
const STREAM: &str = "rust-rights";

pub async fn run(tour: &Tour) -> Outcome {
    let root = tour.login(ROOT).await?;
    accounts(tour, &root).await?;
    passwords(tour, &root).await?;
    rights(tour, &root).await?;
    tokens(tour, &root).await?;
    root.delete_user(&id(NAME)?).await?;
    equal("the deleted user", root.get_user(&id(NAME)?).await?.is_none(), true)?;
    refused("login of a deleted user", tour.guest().await?.login_user(NAME, "third-secret").await, 42)?;
    refused("delete an unknown user", root.delete_user(&id(NAME)?).await, 20)?;
    refused("delete root", root.delete_user(&id(ROOT.0)?).await, 48)?;
    refused("change the rights of root", root.update_permissions(&id(ROOT.0)?, None).await, 49)?;
    ok("delete a user");
    tour.end(&root).await?;
    Ok(())
}

/// Rights of every level, each flag different from its neighbours.
fn permissions() -> Permissions {
    let global = GlobalPermissions { read_servers: true, read_users: true, ..GlobalPermissions::default() };
    let topic = TopicPermissions { read_topic: true, send_messages: true, ..TopicPermissions::default() };
    let stream = StreamPermissions {
        read_stream: true,
        manage_topics: true,
        topics: Some(BTreeMap::from([(3, topic), (70_000, TopicPermissions::default())])),
        ..StreamPermissions::default()
    };
    let bare = StreamPermissions { poll_messages: true, ..StreamPermissions::default() };
    Permissions { global, streams: Some(BTreeMap::from([(1, stream), (4_000_000, bare)])) }
}

async fn accounts(tour: &Tour, root: &IggyClient) -> Outcome {
    let before = root.get_users().await?.len();
    let created = root.create_user("rust-old", "first-secret", UserStatus::Active, Some(permissions())).await?;
    equal("name", created.username.as_str(), "rust-old")?;
    equal("status", created.status, UserStatus::Active)?;
    equal("rights", created.permissions, Some(permissions()))?;
    holds("created now", created.created_at.as_micros().abs_diff(IggyTimestamp::now().as_micros()) < 60_000_000)?;
    refused("the same name", root.create_user("rust-old", "secret", UserStatus::Active, None).await, 46)?;
    ok("create a user with rights");

    let found = present("user by id", root.get_user(&number(created.id)?).await?)?;
    equal("user", (found.username.as_str(), found.permissions), ("rust-old", Some(permissions())))?;
    equal("user by name", present("user", root.get_user(&id("rust-old")?).await?)?.id, created.id)?;
    equal("unknown user", root.get_user(&id("rust-unknown")?).await?.is_none(), true)?;
    let all = root.get_users().await?;
    equal("users", all.len(), before + 1)?;
    equal("listed", all.iter().filter(|user| user.username == "rust-old" && user.id == created.id).count(), 1)?;
    let own = present("root", root.get_user(&id(ROOT.0)?).await?)?;
    equal("root", (own.id, own.permissions), (0, Some(Permissions::root())))?;
    ok("get and list users");

    root.change_user(&id("rust-old")?, Some(NAME), Some(UserStatus::Inactive)).await?;
    equal("old name", root.get_user(&id("rust-old")?).await?.is_none(), true)?;
    let renamed = present("user", root.get_user(&id(NAME)?).await?)?;
    equal("renamed", (renamed.id, renamed.status), (created.id, UserStatus::Inactive))?;
    refused(
        "login of an inactive user",
        tour.guest().await?.login_user(NAME, "first-secret").await,
        inactive_user(tour),
    )?;
    root.change_user(&id(NAME)?, None, Some(UserStatus::Active)).await?;
    refused("a name that is taken", root.change_user(&id(NAME)?, Some(ROOT.0), None).await, 46)?;
    refused("update an unknown user", root.change_user(&id("rust-unknown")?, Some("rust-x"), None).await, 20)?;
    ok("update a user");
    Ok(())
}

async fn passwords(tour: &Tour, root: &IggyClient) -> Outcome {
    let client = tour.login((NAME, "first-secret")).await?;
    client.change_password(&id(NAME)?, "first-secret", "second-secret").await?;
    refused("the old password", tour.guest().await?.login_user(NAME, "first-secret").await, 42)?;
    let wrong = client.change_password(&id(NAME)?, "first-secret", "other-secret").await;
    refused("change with the old password", wrong, 42)?;
    refused("change another's", client.change_password(&id(ROOT.0)?, ROOT.1, "other-secret").await, 41)?;
    root.change_password(&id(NAME)?, "second-secret", "third-secret").await?;
    tour.end(&tour.login((NAME, "third-secret")).await?).await?;
    tour.end(&client).await?;
    ok("change a password");
    Ok(())
}

async fn rights(tour: &Tour, root: &IggyClient) -> Outcome {
    let stream = id(STREAM)?;
    let (open, closed) = (id("open")?, id("closed")?);
    let (none, never, unlimited) = (CompressionAlgorithm::None, IggyExpiry::NeverExpire, MaxTopicSize::Unlimited);
    let stream_id = root.create_stream(STREAM).await?.id as usize;
    let open_id = root.make_topic(&stream, "open", 1, none, never, unlimited).await?.id as usize;
    root.make_topic(&stream, "closed", 1, none, never, unlimited).await?;
    let mut messages = [IggyMessage::from("message")];
    let first = Partitioning::partition_id(0);
    root.send_messages(&stream, &open, &first, &mut messages).await?;

    // The number of rights that one topic gives: first to read and poll it, later to send to it as well.
    let permissions = |send_messages: bool| {
        let topic = TopicPermissions { read_topic: true, poll_messages: true, send_messages, manage_topic: false };
        let topics = Some(BTreeMap::from([(open_id, topic)]));
        let stream = StreamPermissions { topics, ..StreamPermissions::default() };
        Permissions { global: GlobalPermissions::default(), streams: Some(BTreeMap::from([(stream_id, stream)])) }
    };
    root.update_permissions(&id(NAME)?, Some(permissions(false))).await?;
    let stored = present("user", root.get_user(&id(NAME)?).await?)?.permissions;
    equal("stored rights", stored, Some(permissions(false)))?;
    ok("update the rights of a user");

    let user = tour.login((NAME, "third-secret")).await?;
    equal("readable topic", present("topic", user.get_topic(&stream, &open).await?)?.name.as_str(), "open")?;
    let reader = Consumer::new(id("reader")?);
    let next = PollingStrategy::next();
    let polled = user.poll_messages(&stream, &open, Some(0), &reader, &next, 10, true).await?;
    equal("polled", polled.messages.len(), 1)?;
    user.store_consumer_offset(&reader, &stream, &open, Some(0), 0).await?;
    equal("groups", user.get_consumer_groups(&stream, &open).await?.len(), 0)?;
    equal("own account", present("me", user.get_user(&id(NAME)?).await?)?.username.as_str(), NAME)?;
    ok("what the rights allow");

    refused("send", user.send_messages(&stream, &open, &first, &mut messages).await, 41)?;
    if tour.has_sessions() {
        refused("flush", user.flush_unsaved_buffer(&stream, &open, 0, true).await, 41)?;
    }
    refused("poll", user.poll_messages(&stream, &closed, Some(0), &reader, &next, 1, false).await, 41)?;
    refused("store an offset", user.store_consumer_offset(&reader, &stream, &closed, Some(0), 0).await, 41)?;
    refused("delete an offset", user.delete_consumer_offset(&reader, &stream, &closed, Some(0)).await, 41)?;
    refused("get a topic", user.get_topic(&stream, &closed).await, 41)?;
    refused("list topics", user.get_topics(&stream).await, 41)?;
    refused("create a topic", user.make_topic(&stream, "new", 1, none, never, unlimited).await, 41)?;
    refused("update a topic", user.change_topic(&stream, &open, "new", none, never, unlimited).await, 41)?;
    refused("delete a topic", user.delete_topic(&stream, &open).await, 41)?;
    refused("purge a topic", user.purge_topic(&stream, &open).await, 41)?;
    refused("create partitions", user.create_partitions(&stream, &open, 1).await, 41)?;
    refused("delete partitions", user.delete_partitions(&stream, &open, 1).await, 41)?;
    refused("delete segments", user.delete_segments(&stream, &open, 0, 1).await, 41)?;
    refused("get a stream", user.get_stream(&stream).await, 41)?;
    refused("list streams", user.get_streams().await, 41)?;
    refused("create a stream", user.create_stream("rust-new").await, 41)?;
    refused("update a stream", user.rename_stream(&stream, "rust-new").await, 41)?;
    refused("delete a stream", user.delete_stream(&stream).await, 41)?;
    refused("purge a stream", user.purge_stream(&stream).await, 41)?;
    refused("create a group", user.create_consumer_group(&stream, &closed, "group").await, 41)?;
    refused("list groups", user.get_consumer_groups(&stream, &closed).await, 41)?;
    refused("list users", user.get_users().await, 41)?;
    refused("get root", user.get_user(&id(ROOT.0)?).await, 41)?;
    refused("create a user", user.create_user("rust-new", "secret", UserStatus::Active, None).await, 41)?;
    refused("update a user", user.change_user(&id(NAME)?, Some("rust-new"), None).await, 41)?;
    refused("update rights", user.update_permissions(&id(NAME)?, None).await, 41)?;
    refused("delete a user", user.delete_user(&id(NAME)?).await, 41)?;
    refused("statistics", user.get_stats().await, 41)?;
    refused("clients", user.get_clients().await, 41)?;
    ok("what the rights do not allow is refused");

    root.update_permissions(&id(NAME)?, Some(permissions(true))).await?;
    user.send_messages(&stream, &open, &first, &mut messages).await?;
    root.update_permissions(&id(NAME)?, None).await?;
    refused("send", user.send_messages(&stream, &open, &first, &mut messages).await, 41)?;
    refused("poll", user.poll_messages(&stream, &open, Some(0), &reader, &next, 1, false).await, 41)?;
    equal("rights", present("user", root.get_user(&id(NAME)?).await?)?.permissions, None)?;
    ok("changed rights hold at once in a running session");
    tour.end(&user).await?;
    root.delete_stream(&stream).await?;
    Ok(())
}

async fn tokens(tour: &Tour, root: &IggyClient) -> Outcome {
    let user = tour.login((NAME, "third-secret")).await?;
    equal("tokens", user.get_personal_access_tokens().await?.len(), 0)?;
    let lasting = user.create_personal_access_token("lasting", PersonalAccessTokenExpiry::NeverExpire).await?;
    let hour = IggyDuration::new(Duration::from_secs(3600));
    let short = user.create_personal_access_token("short", PersonalAccessTokenExpiry::ExpireDuration(hour)).await?;
    holds("two different tokens", lasting.token.len() > 20 && lasting.token != short.token)?;
    let again = user.create_personal_access_token("short", PersonalAccessTokenExpiry::NeverExpire).await;
    refused("the same name", again, 51)?;
    refused("a short name", user.create_personal_access_token("x", PersonalAccessTokenExpiry::NeverExpire).await, 50)?;
    ok("create personal access tokens");

    let mut listed = user.get_personal_access_tokens().await?;
    listed.sort_by(|left, right| left.name.cmp(&right.name));
    let names: Vec<&str> = listed.iter().map(|token| token.name.as_str()).collect();
    equal("tokens", names, vec!["lasting", "short"])?;
    let expiries: Vec<bool> = listed.iter().map(|token| token.expiry_at.is_some()).collect();
    equal("expiry", expiries, vec![false, true])?;
    let expiry = present("expiry", listed.get(1).and_then(|token| token.expiry_at))?.as_micros();
    let expected = IggyTimestamp::now().as_micros() + hour.as_micros();
    holds("expires in an hour", expiry.abs_diff(expected) < 60_000_000)?;
    equal("tokens of another user", root.get_personal_access_tokens().await?.len(), 0)?;
    ok("list personal access tokens");

    let user_id = present("user", root.get_user(&id(NAME)?).await?)?.id;
    for token in [&lasting.token, &short.token] {
        let bearer = tour.guest().await?;
        equal("user of the token", bearer.login_with_personal_access_token(token).await?.user_id, user_id)?;
        equal("sees its tokens", bearer.get_personal_access_tokens().await?.len(), 2)?;
        refused("list users", bearer.get_users().await, 41)?;
        tour.end(&bearer).await?;
    }
    if tour.has_sessions() {
        let bearer = tour.with_credentials(&lasting.token, "").await?;
        equal("user of the connection string", bearer.get_me().await?.user_id, Some(user_id))?;
        tour.end(&bearer).await?;
    }
    ok("login with a personal access token");

    user.delete_personal_access_token("lasting").await?;
    equal("tokens", user.get_personal_access_tokens().await?.len(), 1)?;
    refused(
        "the deleted token",
        tour.guest().await?.login_with_personal_access_token(&lasting.token).await,
        unknown_token(tour),
    )?;
    refused("delete it again", user.delete_personal_access_token("lasting").await, 20)?;
    user.delete_personal_access_token("short").await?;
    tour.end(&user).await?;
    ok("delete personal access tokens");
    Ok(())
}
