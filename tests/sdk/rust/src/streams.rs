//! Streams, topics and partitions.
use crate::generation::Calls;
use crate::tour::{Outcome, ROOT, Tour, equal, holds, id, number, ok, present, refused};
use iggy::prelude::*;

const STREAM: &str = "rust-streams";

pub async fn run(tour: &Tour) -> Outcome {
    let client = tour.login(ROOT).await?;
    streams(&client).await?;
    topics(&client).await?;
    partitions(&client).await?;
    purge(tour, &client).await?;
    client.delete_stream(&id(STREAM)?).await?;
    equal("the deleted stream", client.get_stream(&id(STREAM)?).await?.is_none(), true)?;
    refused("delete it again", client.delete_stream(&id(STREAM)?).await, 1009)?;
    ok("delete a stream with its topics");
    tour.end(&client).await?;
    Ok(())
}

async fn create_topic(client: &IggyClient, name: &str, partitions: u32) -> Result<TopicDetails, IggyError> {
    let never = IggyExpiry::NeverExpire;
    let unlimited = MaxTopicSize::Unlimited;
    let none = CompressionAlgorithm::None;
    client.make_topic(&STREAM.try_into()?, name, partitions, none, never, unlimited).await
}

async fn streams(client: &IggyClient) -> Outcome {
    let before = client.get_streams().await?.len();
    let first_name = "rust-streams-old";
    let created = client.create_stream(first_name).await?;
    equal("name", created.name.as_str(), first_name)?;
    equal("topics", created.topics_count, 0)?;
    equal("messages", created.messages_count, 0)?;
    equal("size", created.size.as_bytes_u64(), 0)?;
    holds("created now", created.created_at.as_micros().abs_diff(IggyTimestamp::now().as_micros()) < 60_000_000)?;
    refused("the same name again", client.create_stream(first_name).await, 1012)?;
    ok("create a stream");

    let listed = client.get_streams().await?;
    equal("streams", listed.len(), before + 1)?;
    equal("listed", listed.iter().any(|stream| stream.id == created.id && stream.name == first_name), true)?;
    let by_id = present("stream by id", client.get_stream(&number(created.id)?).await?)?;
    let by_name = present("stream by name", client.get_stream(&id(first_name)?).await?)?;
    equal("ids", (by_id.id, by_name.id), (created.id, created.id))?;
    equal("creation", by_id.created_at.as_micros(), created.created_at.as_micros())?;
    equal("unknown stream", client.get_stream(&id("rust-unknown")?).await?.is_none(), true)?;
    ok("get and list streams");

    client.rename_stream(&number(created.id)?, STREAM).await?;
    equal("old name", client.get_stream(&id(first_name)?).await?.is_none(), true)?;
    equal("new name", present("stream", client.get_stream(&number(created.id)?).await?)?.name.as_str(), STREAM)?;
    client.create_stream("rust-streams-other").await?;
    refused("a name that is taken", client.rename_stream(&id("rust-streams-other")?, STREAM).await, 1012)?;
    client.delete_stream(&id("rust-streams-other")?).await?;
    refused("update an unknown one", client.rename_stream(&id("rust-unknown")?, "rust-new").await, 1009)?;
    refused("delete an unknown one", client.delete_stream(&number(999_999)?).await, 1009)?;
    ok("update a stream");
    Ok(())
}

async fn topics(client: &IggyClient) -> Outcome {
    let stream = id(STREAM)?;
    let created = create_topic(client, "orders", 3).await?;
    equal("name", created.name.as_str(), "orders")?;
    equal("partitions", created.partitions_count, 3)?;
    equal("partition ids", created.partitions.iter().map(|partition| partition.id).collect::<Vec<_>>(), vec![0, 1, 2])?;
    for partition in &created.partitions {
        equal("an empty partition", (partition.current_offset, partition.messages_count), (0, 0))?;
        equal("its size", partition.size.as_bytes_u64(), 0)?;
    }
    equal("compression", created.compression_algorithm, CompressionAlgorithm::None)?;
    refused("the same name again", create_topic(client, "orders", 1).await, 2013)?;
    ok("create a topic");

    let never = IggyExpiry::NeverExpire;
    let other =
        client.make_topic(&stream, "other", 1, CompressionAlgorithm::Gzip, never, MaxTopicSize::Unlimited).await?;
    equal("compression", other.compression_algorithm, CompressionAlgorithm::Gzip)?;
    let listed = client.get_topics(&stream).await?;
    let mut names: Vec<&str> = listed.iter().map(|topic| topic.name.as_str()).collect();
    names.sort_unstable();
    equal("topics", names, vec!["orders", "other"])?;
    let details = present("stream", client.get_stream(&stream).await?)?;
    equal("topics of the stream", (details.topics_count, details.topics.len()), (2, 2))?;
    let by_id = present("topic by id", client.get_topic(&stream, &number(created.id)?).await?)?;
    equal("topic by id", (by_id.name.as_str(), by_id.partitions.len()), ("orders", 3))?;
    equal("segments", by_id.partitions.iter().map(|partition| partition.segments_count).sum::<u32>(), 3)?;
    equal("unknown topic", client.get_topic(&stream, &id("unknown")?).await?.is_none(), true)?;
    equal("topic of an unknown stream", client.get_topic(&id("rust-unknown")?, &id("orders")?).await?.is_none(), true)?;
    ok("get and list topics");

    let (none, unlimited) = (CompressionAlgorithm::None, MaxTopicSize::Unlimited);
    client.change_topic(&stream, &id("other")?, "renamed", none, never, unlimited).await?;
    let renamed = present("renamed topic", client.get_topic(&stream, &id("renamed")?).await?)?;
    equal("id", renamed.id, other.id)?;
    equal("compression", renamed.compression_algorithm, none)?;
    let taken = client.change_topic(&stream, &id("renamed")?, "orders", none, never, unlimited).await;
    refused("a name that is taken", taken, 2013)?;
    client.delete_topic(&stream, &id("renamed")?).await?;
    equal("deleted topic", client.get_topic(&stream, &id("renamed")?).await?.is_none(), true)?;
    refused("delete it again", client.delete_topic(&stream, &id("renamed")?).await, 2010)?;
    refused("delete an unknown id", client.delete_topic(&stream, &number(999_999)?).await, 2010)?;
    ok("update and delete a topic");
    Ok(())
}

async fn partitions(client: &IggyClient) -> Outcome {
    let (stream, topic) = (id(STREAM)?, id("orders")?);
    client.create_partitions(&stream, &topic, 2).await?;
    let details = present("topic", client.get_topic(&stream, &topic).await?)?;
    let ids: Vec<u32> = details.partitions.iter().map(|partition| partition.id).collect();
    equal("partitions", (details.partitions_count, ids), (5, vec![0, 1, 2, 3, 4]))?;
    let mut messages = [IggyMessage::from("in the last one")];
    client.send_messages(&stream, &topic, &Partitioning::partition_id(4), &mut messages).await?;
    client.delete_partitions(&stream, &topic, 3).await?;
    let details = present("topic", client.get_topic(&stream, &topic).await?)?;
    let ids: Vec<u32> = details.partitions.iter().map(|partition| partition.id).collect();
    equal("partitions", (details.partitions_count, ids), (2, vec![0, 1]))?;
    equal("messages", details.messages_count, 0)?;
    let gone = client.send_messages(&stream, &topic, &Partitioning::partition_id(4), &mut messages).await;
    refused("send to a deleted partition", gone, 3007)?;
    refused("partitions of an unknown topic", client.create_partitions(&stream, &id("unknown")?, 1).await, 2010)?;
    ok("create and delete partitions");
    Ok(())
}

async fn purge(tour: &Tour, client: &IggyClient) -> Outcome {
    let (stream, topic) = (id(STREAM)?, id("orders")?);
    let consumer = Consumer::new(id("purge-reader")?);
    for whole_stream in [false, true] {
        let mut messages = [IggyMessage::from("one"), IggyMessage::from("two")];
        client.send_messages(&stream, &topic, &Partitioning::partition_id(1), &mut messages).await?;
        // The original answers with purged messages if they were only in memory. Over HTTP the SDK asks for a flush in
        // a way that no server understands.
        if tour.has_sessions() {
            client.flush_unsaved_buffer(&stream, &topic, 1, true).await?;
        }
        client.store_consumer_offset(&consumer, &stream, &topic, Some(1), 1).await?;
        equal("messages", present("topic", client.get_topic(&stream, &topic).await?)?.messages_count, 2)?;
        if whole_stream {
            client.purge_stream(&stream).await?;
        } else {
            client.purge_topic(&stream, &topic).await?;
        }
        let details = present("topic", client.get_topic(&stream, &topic).await?)?;
        equal("messages after the purge", (details.messages_count, details.size.as_bytes_u64()), (0, 0))?;
        equal("partitions after the purge", details.partitions_count, 2)?;
        equal("offset", client.get_consumer_offset(&consumer, &stream, &topic, Some(1)).await?.is_none(), true)?;
        let first = PollingStrategy::first();
        let polled = client.poll_messages(&stream, &topic, Some(1), &consumer, &first, 10, false).await?;
        equal("polled after the purge", polled.messages.is_empty() || !tour.has_sessions(), true)?;
    }
    refused("purge an unknown topic", client.purge_topic(&stream, &id("unknown")?).await, 2010)?;
    refused("purge an unknown stream", client.purge_stream(&id("rust-unknown")?).await, 1009)?;
    ok("purge a topic and a stream");
    Ok(())
}
