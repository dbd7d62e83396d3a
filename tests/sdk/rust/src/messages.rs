//! Sending with every partitioning, polling with every strategy, consumer offsets, flush and segments.
use crate::generation::Calls;
use crate::tour::{Outcome, ROOT, Tour, equal, holds, id, number, ok, present, refused};
use bytes::Bytes;
use iggy::prelude::*;
use std::collections::BTreeMap;
use std::str::FromStr;

const STREAM: &str = "rust-messages";
const TOPIC: &str = "topic";

struct Place {
    client: IggyClient,
    stream: Identifier,
    topic: Identifier,
    reader: Consumer,
    /// Over HTTP the SDK sends no origin timestamp.
    has_sessions: bool,
}

impl Place {
    async fn send(&self, partitioning: &Partitioning, messages: &mut [IggyMessage]) -> Result<(), IggyError> {
        self.client.send_messages(&self.stream, &self.topic, partitioning, messages).await.map(drop)
    }

    async fn poll(&self, partition: u32, strategy: PollingStrategy, count: u32) -> Result<PolledMessages, IggyError> {
        let reader = &self.reader;
        self.client.poll_messages(&self.stream, &self.topic, Some(partition), reader, &strategy, count, false).await
    }

    async fn counts(&self) -> Outcome<Vec<u64>> {
        let topic = present("topic", self.client.get_topic(&self.stream, &self.topic).await?)?;
        Ok(topic.partitions.iter().map(|partition| partition.messages_count).collect())
    }
}

pub async fn run(tour: &Tour) -> Outcome {
    let client = tour.login(ROOT).await?;
    client.create_stream(STREAM).await?;
    let (stream, topic) = (id(STREAM)?, id(TOPIC)?);
    let (never, unlimited) = (IggyExpiry::NeverExpire, MaxTopicSize::Unlimited);
    client.make_topic(&stream, TOPIC, 3, CompressionAlgorithm::None, never, unlimited).await?;
    let place =
        Place { client, stream, topic, reader: Consumer::new(id("reader")?), has_sessions: tour.has_sessions() };
    contents(&place).await?;
    strategies(&place).await?;
    partitionings(&place).await?;
    offsets(&place).await?;
    storage(&place).await?;
    place.client.delete_stream(&place.stream).await?;
    tour.end(&place.client).await?;
    Ok(())
}

fn headers() -> Outcome<BTreeMap<HeaderKey, HeaderValue>> {
    Ok(BTreeMap::from([
        (HeaderKey::from_str("text")?, HeaderValue::from_str("gr\u{fc}n")?),
        (HeaderKey::from_str("flag")?, true.into()),
        (HeaderKey::from_str("small")?, (-8i8).into()),
        (HeaderKey::from_str("large")?, u128::MAX.into()),
        (HeaderKey::from_str("share")?, 0.25f64.into()),
        (HeaderKey::from_str("raw")?, vec![0u8, 255, 7].try_into()?),
        (7u32.into(), i64::MIN.into()),
    ]))
}

async fn contents(place: &Place) -> Outcome {
    let binary: Vec<u8> = (0..=255).collect();
    let mut sent = [
        IggyMessage::builder().id(77).payload("named".into()).build()?,
        IggyMessage::builder().payload(Bytes::from(binary.clone())).user_headers(headers()?).build()?,
        IggyMessage::builder().payload("x".repeat(1_000_000).into()).build()?,
    ];
    place.send(&Partitioning::partition_id(0), &mut sent).await?;
    let polled = place.poll(0, PollingStrategy::first(), 10).await?;
    equal("partition", polled.partition_id, 0)?;
    equal("current offset", polled.current_offset, 2)?;
    equal("count", (polled.count, polled.messages.len()), (3, 3))?;
    let [named, with_headers, large] = polled.messages.as_slice() else { return equal("messages", 0, 3) };
    equal("id", named.header.id, 77)?;
    equal("payload", named.payload_as_string()?.as_str(), "named")?;
    equal("headers that were not sent", named.user_headers_map()?.unwrap_or_default().len(), 0)?;
    holds("the server gives an id", with_headers.header.id != 0)?;
    equal("bytes", with_headers.payload.to_vec(), binary)?;
    equal("headers", with_headers.user_headers_map()?, Some(headers()?))?;
    equal("large payload", large.payload.len(), 1_000_000)?;
    for (offset, (message, original)) in polled.messages.iter().zip(&sent).enumerate() {
        equal("offset", message.header.offset, offset as u64)?;
        if place.has_sessions {
            equal("origin timestamp", message.header.origin_timestamp, original.header.origin_timestamp)?;
        }
        holds("a timestamp not before the origin", message.header.timestamp >= message.header.origin_timestamp)?;
        holds("a checksum", message.header.checksum != 0)?;
    }
    ok("payloads, ids and user headers come back");
    Ok(())
}

async fn strategies(place: &Place) -> Outcome {
    for number in 0..20 {
        place.send(&Partitioning::partition_id(1), &mut [format!("message {number}").into()]).await?;
    }
    let offsets =
        |polled: &PolledMessages| polled.messages.iter().map(|message| message.header.offset).collect::<Vec<_>>();
    let polled = place.poll(1, PollingStrategy::offset(7), 5).await?;
    equal("by offset", offsets(&polled), vec![7, 8, 9, 10, 11])?;
    equal("current offset", polled.current_offset, 19)?;
    equal("past the end", offsets(&place.poll(1, PollingStrategy::offset(20), 5).await?), vec![])?;
    equal("first", offsets(&place.poll(1, PollingStrategy::first(), 3).await?), vec![0, 1, 2])?;
    equal("last", offsets(&place.poll(1, PollingStrategy::last(), 3).await?), vec![17, 18, 19])?;
    let timestamp = present("message", polled.messages.get(2))?.header.timestamp;
    let since = place.poll(1, PollingStrategy::timestamp(timestamp.into()), 4).await?;
    equal("by timestamp", offsets(&since), vec![9, 10, 11, 12])?;
    let future = IggyTimestamp::from(IggyTimestamp::now().as_micros() + 60_000_000);
    equal("since later", offsets(&place.poll(1, PollingStrategy::timestamp(future), 4).await?), vec![])?;
    ok("poll by offset, timestamp, first and last");

    let next = PollingStrategy::next();
    equal("next without commit", offsets(&place.poll(1, next, 4).await?), vec![0, 1, 2, 3])?;
    equal("next again", offsets(&place.poll(1, next, 4).await?), vec![0, 1, 2, 3])?;
    let (client, stream, topic, reader) = (&place.client, &place.stream, &place.topic, &place.reader);
    for expected in [vec![0, 1, 2, 3, 4, 5, 6, 7], vec![8, 9, 10, 11, 12, 13, 14, 15], vec![16, 17, 18, 19], vec![]] {
        let polled = client.poll_messages(stream, topic, Some(1), reader, &next, 8, true).await?;
        equal("next with commit", offsets(&polled), expected)?;
    }
    let stored = present("offset", client.get_consumer_offset(reader, stream, topic, Some(1)).await?)?;
    equal("committed offset", (stored.partition_id, stored.current_offset, stored.stored_offset), (1, 19, 19))?;
    client.delete_consumer_offset(reader, stream, topic, Some(1)).await?;
    ok("poll next with auto commit");

    let missing = client.poll_messages(stream, topic, Some(9), reader, &next, 1, false).await;
    refused("poll an unknown partition", missing, 3007)?;
    let missing = client.poll_messages(stream, &id("unknown")?, Some(0), reader, &next, 1, false).await;
    refused("poll an unknown topic", missing, 2010)?;
    let missing = client.poll_messages(&number(999_999)?, topic, Some(0), reader, &next, 1, false).await;
    refused("poll an unknown stream", missing, 1009)?;
    ok("polls of what does not exist are refused");
    Ok(())
}

async fn partitionings(place: &Place) -> Outcome {
    let before = place.counts().await?;
    for _ in 0..6 {
        place.send(&Partitioning::balanced(), &mut ["balanced".into()]).await?;
    }
    let balanced: Vec<u64> = place.counts().await?.iter().zip(&before).map(|(after, before)| after - before).collect();
    equal("6 balanced sends over 3 partitions", balanced, vec![2, 2, 2])?;
    ok("send balanced");

    let keys = [Partitioning::messages_key_str("customer")?, Partitioning::messages_key_u64(4711)];
    for key in keys {
        let before = place.counts().await?;
        for number in 0..4 {
            place.send(&key, &mut [format!("keyed {number}").into()]).await?;
        }
        let after = place.counts().await?;
        let mut grown: Vec<u64> = after.iter().zip(&before).map(|(after, before)| after - before).collect();
        grown.sort_unstable();
        equal("4 sends with one key", grown, vec![0, 0, 4])?;
    }
    ok("send by key");

    let mut message = [IggyMessage::from("lost")];
    refused("an unknown partition", place.send(&Partitioning::partition_id(9), &mut message).await, 3007)?;
    let (client, stream, balanced) = (&place.client, &place.stream, Partitioning::balanced());
    refused("an unknown topic", client.send_messages(stream, &id("unknown")?, &balanced, &mut message).await, 2010)?;
    ok("sends to what does not exist are refused");
    Ok(())
}

async fn offsets(place: &Place) -> Outcome {
    let (client, stream, topic) = (&place.client, &place.stream, &place.topic);
    for consumer in [Consumer::new(id("by-name")?), Consumer::new(number(17)?)] {
        equal("no offset", client.get_consumer_offset(&consumer, stream, topic, Some(1)).await?.is_none(), true)?;
        client.store_consumer_offset(&consumer, stream, topic, Some(1), 5).await?;
        let stored = present("offset", client.get_consumer_offset(&consumer, stream, topic, Some(1)).await?)?;
        equal("stored", (stored.partition_id, stored.stored_offset), (1, 5))?;
        let next = PollingStrategy::next();
        let polled = client.poll_messages(stream, topic, Some(1), &consumer, &next, 1, false).await?;
        equal("next", present("message", polled.messages.first())?.header.offset, 6)?;
        client.store_consumer_offset(&consumer, stream, topic, Some(1), 2).await?;
        let stored = present("offset", client.get_consumer_offset(&consumer, stream, topic, Some(1)).await?)?;
        equal("stored again, lower", stored.stored_offset, 2)?;
        refused("past the end", client.store_consumer_offset(&consumer, stream, topic, Some(1), 10_000).await, 4100)?;
        client.delete_consumer_offset(&consumer, stream, topic, Some(1)).await?;
        equal("deleted", client.get_consumer_offset(&consumer, stream, topic, Some(1)).await?.is_none(), true)?;
        refused("delete again", client.delete_consumer_offset(&consumer, stream, topic, Some(1)).await, 3021)?;
    }
    ok("store, get and delete consumer offsets");
    Ok(())
}

async fn storage(place: &Place) -> Outcome {
    let (client, stream, topic) = (&place.client, &place.stream, &place.topic);
    // Over HTTP the SDK asks for a flush in a way that no server understands.
    if place.has_sessions {
        client.flush_unsaved_buffer(stream, topic, 1, false).await?;
        client.flush_unsaved_buffer(stream, topic, 1, true).await?;
        refused("flush an unknown topic", client.flush_unsaved_buffer(stream, &id("unknown")?, 1, true).await, 2010)?;
        ok("flush");
    }

    // The server of the test closes a segment at 1 MiB.
    for _ in 0..4 {
        place.send(&Partitioning::partition_id(2), &mut [vec![1u8; 900_000].into()]).await?;
    }
    let before = segments(place).await?;
    holds("4 MB make several segments", before.0 >= 2)?;
    client.delete_segments(stream, topic, 2, 0).await?;
    equal("segments after none was deleted", segments(place).await?, before)?;
    client.delete_segments(stream, topic, 2, 1).await?;
    let after = segments(place).await?;
    equal("segments", after.0, before.0 - 1)?;
    holds("fewer messages", after.1 < before.1)?;
    let polled = place.poll(2, PollingStrategy::first(), 1).await?;
    let first = present("message", polled.messages.first())?.header.offset;
    equal("the first offset that is left", first, before.1 - after.1)?;
    equal("the current offset", polled.current_offset, before.1 - 1)?;
    client.delete_segments(stream, topic, 2, 1000).await?;
    equal("the active segment stays", segments(place).await?.0, 1)?;
    refused("segments of an unknown partition", client.delete_segments(stream, topic, 9, 1).await, 3007)?;
    ok("delete segments");
    Ok(())
}

/// Segments and messages of the last partition.
async fn segments(place: &Place) -> Outcome<(u32, u64)> {
    let topic = present("topic", place.client.get_topic(&place.stream, &place.topic).await?)?;
    let partition = present("partition", topic.partitions.get(2))?;
    Ok((partition.segments_count, partition.messages_count))
}
