//! What users of the SDK trip over, as docs/clients.md tells it: each is the SDK's own behaviour against a right broker.
use crate::generation::{CONNECTS_WITHOUT_CONNECTION, Calls, SHUTDOWN_STORES};
use crate::tour::{Failure, NO_HEARTBEAT, Outcome, ROOT, Tour, Transport, equal, holds, id, ok, present, refused};
use futures_util::StreamExt;
use iggy::prelude::*;
use std::time::Duration;
use tokio::time::timeout;

const STREAM: &str = "rust-surprises";
const TOPIC: &str = "topic";
const BATCH: u64 = 3;
const USER: &str = "rust-special";
const PASSWORD: &str = "p@ss:word";

/// Long enough for hundreds of polls; a message that is to come would come with one.
const SILENCE: Duration = Duration::from_millis(300);

pub async fn run(tour: &Tour) -> Outcome {
    let client = tour.with_credentials(&format!("{}:{}", ROOT.0, ROOT.1), NO_HEARTBEAT).await?;
    passwords(tour, &client).await?;
    client.create_stream(STREAM).await?;
    let (stream, topic) = (id(STREAM)?, id(TOPIC)?);
    let unlimited = (IggyExpiry::NeverExpire, MaxTopicSize::Unlimited);
    client.make_topic(&stream, TOPIC, 1, CompressionAlgorithm::None, unlimited.0, unlimited.1).await?;
    let mut messages: Vec<IggyMessage> = (0..2 * BATCH).map(|number| number.to_string().into()).collect();
    client.send_messages(&stream, &topic, &Partitioning::partition_id(0), &mut messages).await?;
    commit_off(&client).await?;
    commit_when_polling(&client).await?;
    if tour.transport == Transport::Tcp {
        connect_without_connection().await?;
    }
    client.delete_stream(&stream).await?;
    tour.end(&client).await?;
    Ok(())
}

/// A connection string is split at every `@` and `:`, and nothing in it is decoded.
async fn passwords(tour: &Tour, root: &IggyClient) -> Outcome {
    root.create_user(USER, PASSWORD, UserStatus::Active, None).await?;
    let scheme = if tour.transport == Transport::Quic { "quic" } else { "tcp" };
    for password in [PASSWORD, "p@ssword", "pass:word"] {
        let text = format!("iggy+{scheme}://{USER}:{password}@{}", tour.address);
        let built = IggyClient::from_connection_string(&text);
        holds("a password with @ or : is refused", matches!(built, Err(IggyError::InvalidConnectionString)))?;
    }
    let ipv6 = IggyClient::from_connection_string(&format!("iggy+{scheme}://{USER}:secret@[::1]:8090"));
    holds("an address of IPv6 is refused", matches!(ipv6, Err(IggyError::InvalidConnectionString)))?;
    let text = format!("iggy+{scheme}://{USER}:p%40ss%3Aword@{}", tour.address);
    refused("an encoded password", IggyClient::from_connection_string(&text)?.connect().await, 42)?;
    tour.end(&tour.login((USER, PASSWORD)).await?).await?;
    root.delete_user(&id(USER)?).await?;
    ok("passwords with @ and : log in by a call, not by a connection string");
    Ok(())
}

async fn consumer(client: &IggyClient, name: &str, commit: AutoCommit) -> Outcome<IggyConsumer> {
    let mut consumer = client
        .consumer(name, STREAM, TOPIC, 0)?
        .auto_commit(commit)
        .polling_strategy(PollingStrategy::next())
        .poll_interval(IggyDuration::from(1_000))
        .batch_length(BATCH as u32)
        .build();
    consumer.init().await?;
    Ok(consumer)
}

async fn next_offset(consumer: &mut IggyConsumer) -> Outcome<u64> {
    let message = present("message", timeout(Duration::from_secs(10), consumer.next()).await?)??;
    Ok(message.message.header.offset)
}

async fn stored(client: &IggyClient, name: &str) -> Outcome<Option<u64>> {
    let reader = Consumer::new(id(name)?);
    let offset = client.get_consumer_offset(&reader, &id(STREAM)?, &id(TOPIC)?, Some(0)).await?;
    Ok(offset.map(|offset| offset.stored_offset))
}

/// The broker gives what follows the stored offset; the SDK leaves out what it has seen, and asks again for ever.
async fn commit_off(client: &IggyClient) -> Outcome {
    let name = "rust-no-commit";
    let mut consumer = consumer(client, name, AutoCommit::Disabled).await?;
    for offset in 0..BATCH {
        equal("offset", next_offset(&mut consumer).await?, offset)?;
    }
    if let Ok(message) = timeout(SILENCE, consumer.next()).await {
        let offset = message.transpose()?.map(|message| message.message.header.offset);
        return Err(Failure::new(format!("offset {offset:?} came although nothing was stored")));
    }
    equal("stored", stored(client, name).await?, None)?;
    consumer.store_offset(BATCH - 1, Some(0)).await?;
    for offset in BATCH..2 * BATCH {
        equal("offset", next_offset(&mut consumer).await?, offset)?;
    }
    consumer.shutdown().await?;
    let expected = if SHUTDOWN_STORES { 2 * BATCH - 1 } else { BATCH - 1 };
    equal("stored after the shutdown, with auto-commit off", stored(client, name).await?, Some(expected))?;
    ok("a consumer without auto-commit stalls after a batch, until the offset is stored");

    let mut from_offset = client
        .consumer("rust-from-offset", STREAM, TOPIC, 0)?
        .auto_commit(AutoCommit::Disabled)
        .polling_strategy(PollingStrategy::offset(0))
        .batch_length(BATCH as u32)
        .build();
    from_offset.init().await?;
    for offset in 0..2 * BATCH {
        equal("offset", next_offset(&mut from_offset).await?, offset)?;
    }
    drop(from_offset);
    ok("a consumer without auto-commit that polls by offset goes on by itself");
    Ok(())
}

/// The offset of the whole batch is stored when it is polled: who dies over it loses what was not worked off.
async fn commit_when_polling(client: &IggyClient) -> Outcome {
    let name = "rust-hasty";
    let mut first = consumer(client, name, AutoCommit::When(AutoCommitWhen::PollingMessages)).await?;
    equal("offset", next_offset(&mut first).await?, 0)?;
    equal("stored after one message", stored(client, name).await?, Some(BATCH - 1))?;
    // Like a process that is killed: nothing is stored by a shutdown.
    drop(first);
    let mut second = consumer(client, name, AutoCommit::When(AutoCommitWhen::PollingMessages)).await?;
    equal("where the next one goes on", next_offset(&mut second).await?, BATCH)?;
    drop(second);

    let careful = "rust-careful";
    let mut first = consumer(client, careful, AutoCommit::Disabled).await?;
    equal("offset", next_offset(&mut first).await?, 0)?;
    equal("offset", next_offset(&mut first).await?, 1)?;
    first.store_offset(0, Some(0)).await?;
    drop(first);
    let mut second = consumer(client, careful, AutoCommit::Disabled).await?;
    equal("where the next one goes on", next_offset(&mut second).await?, 1)?;
    drop(second);
    ok("commit when polling loses the rest of a batch, a stored offset does not");
    Ok(())
}

/// While one call still tries to connect, also one that was given up, every other `connect` of 0.8 succeeds at once.
async fn connect_without_connection() -> Outcome {
    // Nobody listens at port 1.
    let client = IggyClient::from_connection_string("iggy+tcp://iggy:iggy@127.0.0.1:1")?;
    holds("connect waits for ever", timeout(SILENCE, client.connect()).await.is_err())?;
    if CONNECTS_WITHOUT_CONNECTION {
        timeout(Duration::from_secs(5), client.connect()).await??;
    } else {
        holds("the next connect waits as well", timeout(SILENCE, client.connect()).await.is_err())?;
    }
    let bounded = "iggy+tcp://iggy:iggy@127.0.0.1:1?reconnection_retries=1&reconnection_interval=10ms";
    let refused = IggyClient::from_connection_string(bounded)?.connect().await;
    holds("connect with a bound fails", matches!(refused, Err(IggyError::CannotEstablishConnection)))?;
    ok("connect tries for ever, unless it is given a bound");
    Ok(())
}
