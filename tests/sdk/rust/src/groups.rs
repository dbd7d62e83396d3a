//! Consumer groups with two members: assignment, rebalances that both see, offsets, and no message lost or doubled.
use crate::generation::{Calls, DELETED_GROUP, MEMBER_OPTIONS};
use crate::tour::{Failure, Outcome, ROOT, Tour, equal, eventually, holds, id, number, ok, present, refused};
use iggy::prelude::*;
use std::collections::BTreeSet;
use std::time::{Duration, Instant};
use tokio::time::{sleep, timeout};

const STREAM: &str = "rust-groups";
const TOPIC: &str = "topic";
const GROUP: &str = "group";

/// A message by partition and offset.
type Read = (u32, u64);

/// One client that may be a member of the group.
struct Member {
    client: IggyClient,
    stream: Identifier,
    topic: Identifier,
    group: Identifier,
}

impl Member {
    async fn connect(tour: &Tour) -> Outcome<Self> {
        let client = tour.with_credentials(&format!("{}:{}", ROOT.0, ROOT.1), MEMBER_OPTIONS).await?;
        Ok(Self { client, stream: id(STREAM)?, topic: id(TOPIC)?, group: id(GROUP)? })
    }

    fn consumer(&self) -> Consumer {
        Consumer::group(self.group.clone())
    }

    async fn join(&self) -> Result<(), IggyError> {
        self.client.join_consumer_group(&self.stream, &self.topic, &self.group).await
    }

    async fn leave(&self) -> Result<(), IggyError> {
        self.client.leave_consumer_group(&self.stream, &self.topic, &self.group).await
    }

    async fn poll(&self, partition: Option<u32>, count: u32, commit: bool) -> Result<PolledMessages, IggyError> {
        let next = PollingStrategy::next();
        self.client.poll_messages(&self.stream, &self.topic, partition, &self.consumer(), &next, count, commit).await
    }

    /// Polls until there are messages.
    async fn poll_some(&self, count: u32) -> Result<PolledMessages, IggyError> {
        loop {
            let polled = self.poll(None, count, true).await?;
            if !polled.messages.is_empty() {
                return Ok(polled);
            }
            sleep(Duration::from_millis(5)).await;
        }
    }

    async fn stored(&self, partition: u32) -> Outcome<Option<u64>> {
        let offset =
            self.client.get_consumer_offset(&self.consumer(), &self.stream, &self.topic, Some(partition)).await?;
        Ok(offset.map(|offset| offset.stored_offset))
    }

    /// The partitions of every member, in the order of the members, as this client sees them.
    async fn assignment(&self) -> Outcome<Vec<Vec<u32>>> {
        let group = self.client.get_consumer_group(&self.stream, &self.topic, &self.group).await?;
        let mut group = present("group", group)?;
        equal("number of members", group.members_count as usize, group.members.len())?;
        group.members.sort_by_key(|member| member.id);
        for member in &mut group.members {
            equal("number of partitions", member.partitions_count as usize, member.partitions.len())?;
            member.partitions.sort_unstable();
        }
        Ok(group.members.into_iter().map(|member| member.partitions).collect())
    }

    /// Waits until this client sees the assignment: a partition may move a moment after what set it free is answered.
    async fn sees(&self, expected: &[&[u32]]) -> Outcome {
        let expected: Vec<Vec<u32>> = expected.iter().map(|partitions| partitions.to_vec()).collect();
        let outcome = eventually("the assignment", async || Ok(self.assignment().await? == expected)).await;
        if outcome.is_err() {
            equal("the assignment after 10 seconds", self.assignment().await?, expected)?;
        }
        outcome
    }

    /// Polls `rounds` times, with commit, and adds what comes.
    async fn read(&self, rounds: u32, count: u32, owned: &[u32], seen: &mut BTreeSet<Read>) -> Outcome {
        for _ in 0..rounds {
            let polled = self.poll(None, count, true).await?;
            for message in &polled.messages {
                let read = (polled.partition_id, message.header.offset);
                holds("a member reads only its partitions", owned.contains(&read.0))?;
                if !seen.insert(read) {
                    return Err(Failure::new(format!("a message came twice: partition and offset {read:?}")));
                }
            }
        }
        Ok(())
    }

    /// Polls until there are `total` messages: of a partition that comes from another member the client of Iggy 0.9
    /// learns with its next heartbeat.
    async fn read_up_to(&self, total: usize, count: u32, owned: &[u32], seen: &mut BTreeSet<Read>) -> Outcome {
        let deadline = Instant::now() + Duration::from_secs(10);
        while seen.len() < total {
            holds(&format!("{} of {total} messages came within 10 seconds", seen.len()), Instant::now() < deadline)?;
            self.read(1, count, owned, seen).await?;
        }
        Ok(())
    }

    async fn send(&self, partition: u32, count: u32) -> Outcome {
        let mut messages: Vec<IggyMessage> = (0..count).map(|number| format!("{partition}/{number}").into()).collect();
        let partitioning = Partitioning::partition_id(partition);
        self.client.send_messages(&self.stream, &self.topic, &partitioning, &mut messages).await?;
        Ok(())
    }
}

pub async fn run(tour: &Tour) -> Outcome {
    let first = Member::connect(tour).await?;
    let second = Member::connect(tour).await?;
    lifecycle(&first).await?;
    membership(&first, &second).await?;
    sharing(&first, &second).await?;
    offsets(&first).await?;
    revocation(&first, &second).await?;
    end(tour, first, second).await
}

async fn lifecycle(member: &Member) -> Outcome {
    let Member { client, stream, topic, group } = member;
    client.create_stream(STREAM).await?;
    let (never, unlimited) = (IggyExpiry::NeverExpire, MaxTopicSize::Unlimited);
    client.make_topic(stream, TOPIC, 4, CompressionAlgorithm::None, never, unlimited).await?;
    equal("groups", client.get_consumer_groups(stream, topic).await?.len(), 0)?;
    let created = client.create_consumer_group(stream, topic, GROUP).await?;
    equal("group", (created.id, created.name.as_str()), (0, GROUP))?;
    equal("partitions and members", (created.partitions_count, created.members_count), (4, 0))?;
    refused("the same name", client.create_consumer_group(stream, topic, GROUP).await, 5004)?;
    let other = client.create_consumer_group(stream, topic, "other").await?;
    let mut names: Vec<String> =
        client.get_consumer_groups(stream, topic).await?.into_iter().map(|group| group.name).collect();
    names.sort_unstable();
    equal("groups", names, vec![GROUP.to_owned(), "other".to_owned()])?;
    let by_id = present("group by id", client.get_consumer_group(stream, topic, &number(other.id)?).await?)?;
    equal("group by id", (by_id.name.as_str(), by_id.partitions_count), ("other", 4))?;
    equal("unknown group", client.get_consumer_group(stream, topic, &id("unknown")?).await?.is_none(), true)?;
    client.delete_consumer_group(stream, topic, &id("other")?).await?;
    refused("delete it again", client.delete_consumer_group(stream, topic, &id("other")?).await, 5000)?;
    refused("join an unknown group", client.join_consumer_group(stream, topic, &id("other")?).await, 5000)?;
    equal("groups", client.get_consumer_groups(stream, topic).await?.len(), 1)?;
    equal("group", present("group", client.get_consumer_group(stream, topic, group).await?)?.id, created.id)?;
    ok("create, get, list and delete groups");
    Ok(())
}

async fn membership(first: &Member, second: &Member) -> Outcome {
    refused("leave without joining", first.leave().await, 5006)?;
    refused("poll without joining", first.poll(None, 1, false).await, 5006)?;
    first.join().await?;
    first.join().await?;
    equal("one member", first.assignment().await?, vec![vec![0, 1, 2, 3]])?;
    let me = first.client.get_me().await?;
    let group = present("my group", me.consumer_groups.first())?;
    let stream_id = present("stream", first.client.get_stream(&first.stream).await?)?.id;
    equal("my group", (group.stream_id, group.topic_id, group.group_id), (stream_id, 0, 0))?;
    equal("my groups", me.consumer_groups_count, 1)?;
    ok("join a group");

    second.join().await?;
    second.sees(&[&[0, 1, 2], &[3]]).await?;
    first.sees(&[&[0, 1, 2], &[3]]).await?;
    first.client.create_partitions(&first.stream, &first.topic, 2).await?;
    let even = vec![vec![0, 2, 4], vec![1, 3, 5]];
    equal("with two partitions more", first.assignment().await?, even.clone())?;
    equal("seen by the second", second.assignment().await?, even)?;
    ok("a rebalance is seen by both members");
    Ok(())
}

async fn sharing(first: &Member, second: &Member) -> Outcome {
    for partition in 0..6 {
        first.send(partition, 10).await?;
    }
    let mut seen = BTreeSet::new();
    // Each member has 3 partitions, which its polls take in turn.
    first.read(3, 4, &[0, 2, 4], &mut seen).await?;
    second.read(3, 4, &[1, 3, 5], &mut seen).await?;
    let expected: BTreeSet<Read> = (0..6).flat_map(|partition| (0..4).map(move |offset| (partition, offset))).collect();
    equal("read by both", seen.clone(), expected)?;
    for partition in 0..6 {
        equal("stored offset", first.stored(partition).await?, Some(3))?;
    }
    ok("two members share the messages");

    second.leave().await?;
    let all = [0, 1, 2, 3, 4, 5];
    equal("after one left", first.assignment().await?, vec![all.to_vec()])?;
    refused("poll after leaving", second.poll(None, 1, false).await, 5006)?;
    equal("groups of the one that left", second.client.get_me().await?.consumer_groups_count, 0)?;
    first.read_up_to(60, 5, &all, &mut seen).await?;
    first.read(6, 5, &all, &mut seen).await?;
    for partition in 0..6 {
        equal("stored offset", first.stored(partition).await?, Some(9))?;
    }
    ok("after one member left the other reads on, nothing lost and nothing twice");
    Ok(())
}

async fn offsets(member: &Member) -> Outcome {
    let Member { client, stream, topic, .. } = member;
    client.store_consumer_offset(&member.consumer(), stream, topic, Some(0), 4).await?;
    equal("stored", member.stored(0).await?, Some(4))?;
    let polled = member.poll(Some(0), 2, false).await?;
    let read: Vec<u64> = polled.messages.iter().map(|message| message.header.offset).collect();
    equal("poll of one partition", (polled.partition_id, read), (0, vec![5, 6]))?;
    client.delete_consumer_offset(&member.consumer(), stream, topic, Some(0)).await?;
    equal("deleted", member.stored(0).await?, None)?;
    let polled = member.poll(Some(0), 1, false).await?;
    equal("from the start", present("message", polled.messages.first())?.header.offset, 0)?;
    client.store_consumer_offset(&member.consumer(), stream, topic, Some(0), 9).await?;
    ok("store and delete offsets of a group");
    Ok(())
}

async fn revocation(first: &Member, second: &Member) -> Outcome {
    // The original applies every change of its metadata once more with the next one: without this change the leaving
    // above would happen again when the second member joins, and with it forget what was polled.
    first.client.create_consumer_group(&first.stream, &first.topic, "spare").await?;
    // A joiner is given the last partition.
    first.send(5, 4).await?;
    let polled = first.poll(Some(5), 2, false).await?;
    equal("polled", polled.messages.len(), 2)?;
    second.join().await?;
    equal("nothing moves before the commit", second.assignment().await?, vec![vec![0, 1, 2, 3, 4, 5], vec![]])?;
    equal("a poll before the commit", second.poll(None, 4, true).await?.messages.len(), 0)?;
    first.client.store_consumer_offset(&first.consumer(), &first.stream, &first.topic, Some(5), 11).await?;
    first.sees(&[&[0, 1, 2, 3, 4], &[5]]).await?;
    second.sees(&[&[0, 1, 2, 3, 4], &[5]]).await?;
    let polled = timeout(Duration::from_secs(10), second.poll_some(4)).await??;
    let read: Vec<u64> = polled.messages.iter().map(|message| message.header.offset).collect();
    equal("the new owner reads on", (polled.partition_id, read), (5, vec![12, 13]))?;
    equal("the old owner reads nothing there", first.poll(Some(5), 4, false).await?.messages.len(), 0)?;
    ok("a partition with messages in work moves with their commit");
    Ok(())
}

async fn end(tour: &Tour, first: Member, second: Member) -> Outcome {
    tour.end(&first.client).await?;
    second.sees(&[&[0, 1, 2, 3, 4, 5]]).await?;
    ok("a member that disconnects leaves its groups");

    let Member { client, stream, topic, group } = &second;
    client.delete_consumer_group(stream, topic, group).await?;
    equal("deleted", client.get_consumer_group(stream, topic, group).await?.is_none(), true)?;
    equal("my groups", client.get_me().await?.consumer_groups_count, 0)?;
    refused("poll of a deleted group", second.poll(None, 1, false).await, DELETED_GROUP)?;
    ok("delete a group with a member");
    client.delete_stream(stream).await?;
    tour.end(&client).await?;
    tour.end(&tour.login(ROOT).await?).await?;
    Ok(())
}
