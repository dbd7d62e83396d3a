//! The producers and consumers that the SDK builds on its commands: direct and in the background, alone and as a group.
use crate::generation::ProducerCalls;
use crate::tour::{Failure, NO_HEARTBEAT, Outcome, ROOT, Tour, equal, eventually, holds, id, ok, present};
use futures_util::StreamExt;
use iggy::consumer_ext::MessageConsumer;
use iggy::prelude::*;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::time::timeout;

const STREAM: &str = "rust-high-level";
const TOPIC: &str = "events";
const PARTITIONS: u32 = 4;
const SENT: usize = 1000;

pub async fn run(tour: &Tour) -> Outcome {
    let client = tour.login(ROOT).await?;
    produce(&client).await?;
    consume_as_group(tour, &client).await?;
    consume_partition(&client).await?;
    consume_by_callback(&client).await?;
    encrypted(&client).await?;
    stream_builder(&client).await?;
    client.delete_stream(&id(STREAM)?).await?;
    tour.end(&client).await?;
    Ok(())
}

fn numbered(numbers: std::ops::Range<usize>) -> Vec<IggyMessage> {
    numbers.map(|number| number.to_string().into()).collect()
}

async fn messages_of(client: &IggyClient) -> Outcome<u64> {
    Ok(present("topic", client.get_topic(&id(STREAM)?, &id(TOPIC)?).await?)?.messages_count)
}

async fn produce(client: &IggyClient) -> Outcome {
    let direct = client
        .producer(STREAM, TOPIC)?
        .create_stream_if_not_exists()
        .make_topic_if_missing(PARTITIONS)
        .direct(DirectConfig::builder().batch_length(50).build())
        .partitioning(Partitioning::balanced())
        .build();
    direct.init().await?;
    equal("partitions", present("topic", client.get_topic(&id(STREAM)?, &id(TOPIC)?).await?)?.partitions_count, 4)?;
    direct.send(numbered(0..399)).await?;
    direct.send_one("399".into()).await?;
    direct.send_with_partitioning(numbered(400..500), Some(Partitioning::messages_key_str("key")?.into())).await?;
    equal("sent directly", messages_of(client).await?, 500)?;
    ok("producer that sends directly");

    let background = client
        .producer(STREAM, TOPIC)?
        .background(BackgroundConfig::builder().batch_length(100).linger_time(IggyDuration::from(5_000)).build())
        .partitioning(Partitioning::balanced())
        .build();
    background.init().await?;
    for start in (500..SENT).step_by(20) {
        background.send(numbered(start..start + 20)).await?;
    }
    background.shutdown().await;
    equal("sent in the background", messages_of(client).await?, SENT as u64)?;
    ok("producer that sends in the background");
    Ok(())
}

async fn group_consumer(client: &IggyClient) -> Outcome<IggyConsumer> {
    let mut consumer = client
        .consumer_group("rust-readers", STREAM, TOPIC)?
        .create_consumer_group_if_not_exists()
        .auto_join_consumer_group()
        .auto_commit(AutoCommit::When(AutoCommitWhen::PollingMessages))
        .polling_strategy(PollingStrategy::next())
        .poll_interval(IggyDuration::from(1_000))
        .batch_length(25)
        .build();
    consumer.init().await?;
    Ok(consumer)
}

fn number_of(message: &ReceivedMessage) -> Outcome<usize> {
    message.message.payload_as_string()?.parse().map_err(Failure::from)
}

async fn consume_as_group(tour: &Tour, client: &IggyClient) -> Outcome {
    let watcher = tour.login(ROOT).await?;
    let other = tour.with_credentials(&format!("{}:{}", ROOT.0, ROOT.1), NO_HEARTBEAT).await?;
    let mut first = group_consumer(client).await?;
    let mut second = group_consumer(&other).await?;
    let group_id = id("rust-readers")?;
    let group = present("group", watcher.get_consumer_group(&id(STREAM)?, &id(TOPIC)?, &group_id).await?)?;
    let partitions: u32 = group.members.iter().map(|member| member.partitions_count).sum();
    equal("members and their partitions", (group.members_count, partitions), (2, PARTITIONS))?;

    let mut read = BTreeSet::new();
    let mut by_second = 0;
    let mut made_anew = false;
    while read.len() < SENT {
        let message = tokio::select! {
            message = first.next() => message,
            message = second.next() => {
                by_second += 1;
                message
            }
            // On a busy machine the SDK may see the event of its connection after it has joined, and takes the consumer for one
            // that has not: it never polls again. All that was polled has been given out by now.
            () = tokio::time::sleep(Duration::from_secs(10)), if !made_anew => {
                made_anew = true;
                first.shutdown().await?;
                second.shutdown().await?;
                first = group_consumer(client).await?;
                second = group_consumer(&other).await?;
                continue;
            }
            () = tokio::time::sleep(Duration::from_secs(30)) => {
                return Err(Failure::new(format!("only {} of {SENT} messages came within 30 seconds", read.len())));
            }
        };
        let number = number_of(&present("message", message)??)?;
        holds(&format!("message {number} came once"), read.insert(number))?;
    }
    equal("read", read, (0..SENT).collect())?;
    holds("both members read", by_second > 0 && by_second < SENT)?;
    ok("two consumers of a group read every message once");

    second.shutdown().await?;
    let group = present("group", watcher.get_consumer_group(&id(STREAM)?, &id(TOPIC)?, &group_id).await?)?;
    let partitions: Vec<u32> = group.members.iter().map(|member| member.partitions_count).collect();
    equal("partitions of the one that is left", partitions, vec![PARTITIONS])?;
    watcher
        .send_messages(&id(STREAM)?, &id(TOPIC)?, &Partitioning::partition_id(PARTITIONS - 1), &mut ["1000".into()])
        .await?;
    let message = present("message", timeout(Duration::from_secs(10), first.next()).await?)??;
    equal("read by the one that is left", number_of(&message)?, SENT)?;
    first.shutdown().await?;
    tour.end(&other).await?;
    tour.end(&watcher).await?;
    ok("a consumer takes over from one that left");
    Ok(())
}

async fn consume_partition(client: &IggyClient) -> Outcome {
    let (stream, topic, name) = (id(STREAM)?, id(TOPIC)?, id("rust-reader")?);
    let count = partition_messages(client).await?;
    let mut consumer = client
        .consumer("rust-reader", STREAM, TOPIC, 0)?
        .auto_commit(AutoCommit::When(AutoCommitWhen::ConsumingEachMessage))
        .polling_strategy(PollingStrategy::first())
        .batch_length(64)
        .build();
    consumer.init().await?;
    for offset in 0..count {
        let message = present("message", timeout(Duration::from_secs(10), consumer.next()).await?)??;
        equal("offset", message.message.header.offset, offset)?;
        equal("partition", message.partition_id, 0)?;
    }
    let reader = Consumer::new(name);
    eventually("the last offset is stored", async || {
        let stored = client.get_consumer_offset(&reader, &stream, &topic, Some(0)).await?;
        Ok(stored.is_some_and(|offset| offset.stored_offset == count - 1))
    })
    .await?;
    consumer.delete_offset(Some(0)).await?;
    consumer.shutdown().await?;
    ok("consumer of a partition that commits each message");
    Ok(())
}

async fn partition_messages(client: &IggyClient) -> Outcome<u64> {
    let topic = present("topic", client.get_topic(&id(STREAM)?, &id(TOPIC)?).await?)?;
    Ok(present("partition", topic.partitions.first())?.messages_count)
}

/// Gathers offsets, and says when it has enough.
struct Collector {
    offsets: Mutex<Vec<u64>>,
    enough: u64,
    done: Mutex<Option<oneshot::Sender<()>>>,
}

impl MessageConsumer for Collector {
    async fn consume(&self, message: ReceivedMessage) -> Result<(), IggyError> {
        let mut offsets = self.offsets.lock().map_err(|_| IggyError::Error)?;
        offsets.push(message.message.header.offset);
        if offsets.len() as u64 == self.enough
            && let Some(done) = self.done.lock().map_err(|_| IggyError::Error)?.take()
        {
            // Whether the loop still listens does not matter: it ends in either case.
            let _ = done.send(());
        }
        Ok(())
    }
}

async fn consume_by_callback(client: &IggyClient) -> Outcome {
    let count = partition_messages(client).await?;
    let mut consumer = client
        .consumer("rust-callback", STREAM, TOPIC, 0)?
        .auto_commit(AutoCommit::After(AutoCommitAfter::ConsumingEachMessage))
        .polling_strategy(PollingStrategy::next())
        .batch_length(64)
        .build();
    consumer.init().await?;
    let (done, finished) = oneshot::channel();
    let collector = Collector { offsets: Mutex::default(), enough: count, done: Mutex::new(Some(done)) };
    timeout(Duration::from_secs(10), consumer.consume_messages(&collector, finished)).await??;
    // Before any other call of its client, for which the consumer may stand in the way for ever. `consume_messages` is told to
    // end by a channel, in a `select!` with `next()`: half the time the consumer has begun another poll by then, which it keeps
    // (clients/consumer.rs, `poll_future`) and nobody takes further. Its first act is to lock the state of the client, a fair
    // mutex (tcp/tcp_client.rs, `get_state`). If the task that stores offsets holds that in this moment, the poll stands in the
    // queue, is given the lock when its turn comes, and keeps it. Every later call, the stores and the heartbeat wait behind it.
    drop(consumer);
    let offsets = collector.offsets.lock().map(|offsets| offsets.clone()).unwrap_or_default();
    equal("offsets", offsets, (0..count).collect())?;
    let (stream, topic, reader) = (id(STREAM)?, id(TOPIC)?, Consumer::new(id("rust-callback")?));
    eventually("the last offset is stored", async || {
        let stored = client.get_consumer_offset(&reader, &stream, &topic, Some(0)).await?;
        Ok(stored.is_some_and(|offset| offset.stored_offset == count - 1))
    })
    .await?;
    ok("consumer that calls back and commits after each message");
    Ok(())
}

async fn encrypted(client: &IggyClient) -> Outcome {
    let (stream, topic) = (id(STREAM)?, id("secret")?);
    let encryptor = Arc::new(EncryptorKind::Aes256Gcm(Aes256GcmEncryptor::new(&[7; 32])?));
    let producer = client
        .producer(STREAM, "secret")?
        .make_topic_if_missing(1)
        .encryptor(encryptor.clone())
        .partitioning(Partitioning::partition_id(0))
        .build();
    producer.init().await?;
    producer.send(vec!["secret".into()]).await?;

    let (reader, first) = (Consumer::new(id("rust-plain")?), PollingStrategy::first());
    let polled = client.poll_messages(&stream, &topic, Some(0), &reader, &first, 1, false).await?;
    let stored = &present("message", polled.messages.first())?.payload;
    holds("the server has no clear text", !String::from_utf8_lossy(stored).contains("secret"))?;
    let mut consumer = client
        .consumer("rust-secret", STREAM, "secret", 0)?
        .polling_strategy(first)
        .auto_commit(AutoCommit::Disabled)
        .encryptor(encryptor)
        .build();
    consumer.init().await?;
    let message = present("message", timeout(Duration::from_secs(10), consumer.next()).await?)??;
    equal("payload", message.message.payload_as_string()?.as_str(), "secret")?;
    consumer.shutdown().await?;
    ok("messages that the client encrypts");
    Ok(())
}

async fn stream_builder(client: &IggyClient) -> Outcome {
    let interval = IggyDuration::from(1_000);
    let config = IggyStreamConfig::from_stream_topic("rust-built", "topic", 100, interval, interval)?;
    let (producer, mut consumer) = IggyStream::build(client, &config).await?;
    producer.send_one("built".into()).await?;
    let message = present("message", timeout(Duration::from_secs(10), consumer.next()).await?)??;
    equal("payload", message.message.payload_as_string()?.as_str(), "built")?;
    consumer.shutdown().await?;
    client.delete_stream(&id("rust-built")?).await?;
    ok("producer and consumer of the stream builder");
    Ok(())
}
