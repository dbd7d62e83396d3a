//! How long and how much topics keep: what is stored of it, and what the cleaner of the server then deletes.
use crate::generation::Calls;
use crate::tour::{Outcome, ROOT, Tour, equal, eventually, holds, id, ok, present, refused};
use iggy::prelude::*;
use std::time::{Duration, Instant};

const STREAM: &str = "rust-retention";
const NEVER: IggyExpiry = IggyExpiry::NeverExpire;
const UNLIMITED: MaxTopicSize = MaxTopicSize::Unlimited;
const NONE: CompressionAlgorithm = CompressionAlgorithm::None;
const MESSAGE_BYTES: usize = 900_000;

pub async fn run(tour: &Tour) -> Outcome {
    let client = tour.login(ROOT).await?;
    client.create_stream(STREAM).await?;
    settings(&client).await?;
    expiry(&client).await?;
    size(&client).await?;
    client.delete_stream(&id(STREAM)?).await?;
    tour.end(&client).await?;
    Ok(())
}

async fn settings(client: &IggyClient) -> Outcome {
    let (stream, topic) = (id(STREAM)?, id("limited")?);
    let hour = IggyExpiry::ExpireDuration(IggyDuration::new(Duration::from_secs(3600)));
    let four_gigabytes = MaxTopicSize::Custom(IggyByteSize::from(4_000_000_000));
    let limited = client.make_topic(&stream, "limited", 1, NONE, hour, four_gigabytes).await?;
    equal("retention", (limited.message_expiry, limited.max_topic_size), (hour, four_gigabytes))?;
    let read = present("topic", client.get_topic(&stream, &topic).await?)?;
    equal("stored retention", (read.message_expiry, read.max_topic_size), (hour, four_gigabytes))?;

    client.change_topic(&stream, &topic, "limited", NONE, NEVER, UNLIMITED).await?;
    let read = present("topic", client.get_topic(&stream, &topic).await?)?;
    equal("updated retention", (read.message_expiry, read.max_topic_size), (NEVER, UNLIMITED))?;
    client.delete_topic(&stream, &topic).await?;

    let (default_expiry, default_size) = (IggyExpiry::ServerDefault, MaxTopicSize::ServerDefault);
    let default = client.make_topic(&stream, "default", 1, NONE, default_expiry, default_size).await?;
    equal("default retention, resolved", (default.message_expiry, default.max_topic_size), (NEVER, UNLIMITED))?;
    let kilobyte = MaxTopicSize::Custom(IggyByteSize::from(1000));
    let small = client.make_topic(&stream, "small", 1, NONE, NEVER, kilobyte).await;
    refused("a size below that of a segment", small, 1019)?;
    ok("retention of topics is stored");
    Ok(())
}

/// Sends messages one by one, so that each may close a segment.
async fn fill(client: &IggyClient, topic: &Identifier, count: usize) -> Outcome {
    for _ in 0..count {
        let mut messages = [vec![7u8; MESSAGE_BYTES].into()];
        client.send_messages(&id(STREAM)?, topic, &Partitioning::partition_id(0), &mut messages).await?;
    }
    Ok(())
}

/// The offsets of the first and the last message that can be polled.
async fn held(client: &IggyClient, topic: &Identifier) -> Outcome<(Option<u64>, Option<u64>)> {
    let reader = Consumer::new(id("retention-reader")?);
    let mut offsets = [None, None];
    for (offset, strategy) in offsets.iter_mut().zip([PollingStrategy::first(), PollingStrategy::last()]) {
        let polled = client.poll_messages(&id(STREAM)?, topic, Some(0), &reader, &strategy, 1, false).await?;
        *offset = polled.messages.first().map(|message| message.header.offset);
    }
    Ok((offsets[0], offsets[1]))
}

async fn expiry(client: &IggyClient) -> Outcome {
    let (stream, topic) = (id(STREAM)?, id("expiring")?);
    let soon = IggyExpiry::ExpireDuration(IggyDuration::new(Duration::from_secs(1)));
    client.make_topic(&stream, "expiring", 1, NONE, soon, UNLIMITED).await?;
    let started = Instant::now();
    fill(client, &topic, 5).await?;
    let at_first = held(client, &topic).await?;
    // A busy machine may take longer than the messages live.
    if started.elapsed() < Duration::from_secs(1) {
        equal("kept at first", at_first, (Some(0), Some(4)))?;
    }
    eventually("closed segments expire", async || Ok(held(client, &topic).await?.0 != Some(0))).await?;
    let last = held(client, &topic).await?.1;
    holds("the messages of the last segment stay", last.is_none() || last == Some(4))?;
    fill(client, &topic, 1).await?;
    equal("the next offset", held(client, &topic).await?.1, Some(5))?;
    ok("messages expire");
    Ok(())
}

async fn size(client: &IggyClient) -> Outcome {
    let (stream, topic) = (id(STREAM)?, id("limited")?);
    let limit = 6_000_000;
    let max_size = MaxTopicSize::Custom(IggyByteSize::from(limit));
    client.make_topic(&stream, "limited", 1, NONE, NEVER, max_size).await?;
    fill(client, &topic, 11).await?;
    eventually("the topic falls below 90 % of its limit", async || {
        let details = present("topic", client.get_topic(&stream, &topic).await?)?;
        Ok(details.size.as_bytes_u64() < limit / 10 * 9)
    })
    .await?;
    let (first, last) = held(client, &topic).await?;
    holds("the oldest messages are gone", first.is_some_and(|offset| offset > 0))?;
    equal("the newest message stays", last, Some(10))?;
    let kept = 10 - first.unwrap_or_default() + 1;
    holds("no more was deleted than needed", kept >= 3)?;
    ok("a topic keeps its size");
    Ok(())
}
