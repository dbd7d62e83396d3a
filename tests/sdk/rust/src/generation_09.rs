//! What the crate of Iggy 0.9 calls in another way than the one of 0.8, and what a broker answers it otherwise.
use crate::cuts_09;
use crate::tour::{Outcome, ROOT, Tour, Transport, equal, holds, id, ok, present, refused};
use bytes::Bytes;
use iggy::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

const STREAM: &str = "rust-options";

/// The error number for a token that nobody has, or has any more: HTTP is the same as in 0.8 (spec P9 4.3, 12).
pub fn unknown_token(tour: &Tour) -> u32 {
    if tour.has_sessions() { 53 } else { 20 }
}

/// The error number for the login of a user who is not active.
pub fn inactive_user(tour: &Tour) -> u32 {
    if tour.has_sessions() { 42 } else { 47 }
}

/// The error number for the poll of a member whose group was deleted.
pub const DELETED_GROUP: u32 = 5006;
/// Whether the shutdown of a consumer stores the last message that was given out, with auto-commit off.
pub const SHUTDOWN_STORES: bool = false;
/// Whether a client can do anything else over WebSocket while a consumer is not asked for more.
pub const CONSUMERS_OVER_WEBSOCKET: bool = true;
/// Whether `connect` succeeds at once, without a connection, where an earlier one still tries.
pub const CONNECTS_WITHOUT_CONNECTION: bool = false;
/// What a member of a group adds to its connection string: it learns of a partition that it got with its heartbeat.
pub const MEMBER_OPTIONS: &str = "?heartbeat_interval=100ms";

/// The calls whose arguments changed with 0.9.
pub trait Calls {
    async fn make_topic(
        &self,
        stream: &Identifier,
        name: &str,
        partitions: u32,
        compression: CompressionAlgorithm,
        expiry: IggyExpiry,
        max_size: MaxTopicSize,
    ) -> Result<TopicDetails, IggyError>;
    async fn change_topic(
        &self,
        stream: &Identifier,
        topic: &Identifier,
        name: &str,
        compression: CompressionAlgorithm,
        expiry: IggyExpiry,
        max_size: MaxTopicSize,
    ) -> Result<(), IggyError>;
    async fn rename_stream(&self, stream: &Identifier, name: &str) -> Result<(), IggyError>;
    async fn change_user(
        &self,
        user: &Identifier,
        name: Option<&str>,
        status: Option<UserStatus>,
    ) -> Result<(), IggyError>;
}

impl Calls for IggyClient {
    async fn make_topic(
        &self,
        stream: &Identifier,
        name: &str,
        partitions: u32,
        compression: CompressionAlgorithm,
        expiry: IggyExpiry,
        max_size: MaxTopicSize,
    ) -> Result<TopicDetails, IggyError> {
        let options = TopicCreateOptions {
            partitions_count: Some(partitions),
            compression_algorithm: Some(compression),
            message_expiry: Some(expiry),
            max_topic_size: Some(max_size),
            ..TopicCreateOptions::default()
        };
        self.create_topic(stream, name, &options).await
    }

    async fn change_topic(
        &self,
        stream: &Identifier,
        topic: &Identifier,
        name: &str,
        compression: CompressionAlgorithm,
        expiry: IggyExpiry,
        max_size: MaxTopicSize,
    ) -> Result<(), IggyError> {
        let options = TopicUpdateOptions {
            compression_algorithm: Some(compression),
            message_expiry: Some(expiry),
            max_topic_size: Some(max_size),
            ..TopicUpdateOptions::default()
        };
        self.update_topic(stream, topic, name, &options).await
    }

    async fn rename_stream(&self, stream: &Identifier, name: &str) -> Result<(), IggyError> {
        self.update_stream(stream, name, &StreamUpdateOptions::default()).await
    }

    async fn change_user(
        &self,
        user: &Identifier,
        name: Option<&str>,
        status: Option<UserStatus>,
    ) -> Result<(), IggyError> {
        self.update_user(user, name, status, &UserUpdateOptions::default()).await
    }
}

pub trait ProducerCalls {
    fn make_topic_if_missing(self, partitions: u32) -> Self;
}

impl ProducerCalls for IggyProducerBuilder {
    fn make_topic_if_missing(self, partitions: u32) -> Self {
        self.create_topic_if_not_exists(partitions, IggyExpiry::NeverExpire, MaxTopicSize::Unlimited)
    }
}

/// What only this generation has: options, confirmations, partitions that the client chooses.
pub async fn run(tour: &Tour) -> Outcome {
    let client = tour.login(ROOT).await?;
    let stream = id(STREAM)?;
    client.create_stream(STREAM).await?;
    described(&client).await?;
    options(&client, &stream).await?;
    confirmations(&client, &stream, tour.has_sessions()).await?;
    rights(tour, &client, &stream).await?;
    if tour.has_sessions() {
        partition_count(&client, &stream).await?;
        raw_requests(&client).await?;
    }
    client.delete_stream(&stream).await?;
    tour.end(&client).await?;
    if tour.transport == Transport::Tcp {
        cuts_09::run(tour).await?;
    }
    Ok(())
}

fn text(value: &OptionValue) -> Outcome<String> {
    Ok(value.value.as_str()?.to_owned())
}

async fn described(client: &IggyClient) -> Outcome {
    let topic = client.describe_options(OptionsScope::Topic).await?;
    for key in [
        topic_option_keys::COMPRESSION_ALGORITHM,
        topic_option_keys::MESSAGE_EXPIRY,
        topic_option_keys::MAX_TOPIC_SIZE,
        topic_option_keys::DURABILITY,
        topic_option_keys::CONSUMER_OFFSET_DURABILITY,
    ] {
        let spec = present(key, topic.iter().find(|spec| spec.key == key))?;
        holds("an option is described", !spec.description.is_empty() && !spec.default_value.is_empty())?;
    }
    let durability = present("durability", topic.iter().find(|spec| spec.key == topic_option_keys::DURABILITY))?;
    equal("kind of the durability", durability.kind, HeaderKind::String)?;
    equal("default of the durability", durability.default_value.as_slice(), b"replicated".as_slice())?;
    equal("options of streams", client.describe_options(OptionsScope::Stream).await?.len(), 0)?;
    equal("options of users", client.describe_options(OptionsScope::User).await?.len(), 0)?;
    ok("describe options");
    Ok(())
}

async fn options(client: &IggyClient, stream: &Identifier) -> Outcome {
    let topic = id("options")?;
    let hour = IggyExpiry::ExpireDuration(IggyDuration::new_from_secs(3600));
    let given = TopicCreateOptions {
        partitions_count: Some(2),
        message_expiry: Some(hour),
        durability: Durability::Persisted,
        ..TopicCreateOptions::default()
    };
    let created = client.create_topic(stream, "options", &given).await?;
    equal("partitions and expiry", (created.partitions_count, created.message_expiry), (2, hour))?;
    let read = present("topic", client.get_topic(stream, &topic).await?)?;
    equal("the options of the answer", &read.options, &created.options)?;
    let key = HeaderKey::try_from(topic_option_keys::DURABILITY)?;
    let durability = present("durability", read.options.get(&key))?;
    equal("durability", (text(durability)?.as_str(), durability.explicit), ("persisted", true))?;
    let key = HeaderKey::try_from(topic_option_keys::CONSUMER_OFFSET_DURABILITY)?;
    equal("durability of offsets", text(present("option", read.options.get(&key))?)?.as_str(), "replicated")?;
    let mut messages = [IggyMessage::from("persisted")];
    client.send_messages(stream, &topic, &Partitioning::partition_id(0), &mut messages).await?;

    // What is not given stays: here the expiry.
    let smaller =
        TopicUpdateOptions { compression_algorithm: Some(CompressionAlgorithm::Gzip), ..TopicUpdateOptions::default() };
    client.update_topic(stream, &topic, "options", &smaller).await?;
    let read = present("topic", client.get_topic(stream, &topic).await?)?;
    equal(
        "compression and expiry",
        (read.compression_algorithm, read.message_expiry),
        (CompressionAlgorithm::Gzip, hour),
    )?;
    equal("messages", read.messages_count, 1)?;
    let listed = client.get_topics(stream).await?;
    equal("options in the list", &present("topic", listed.first())?.options, &read.options)?;
    ok("options of topics");

    let raw = |key: &str, value: &str| TopicCreateOptions {
        raw: BTreeMap::from([(key.to_owned(), value.to_owned())]),
        ..TopicCreateOptions::default()
    };
    refused("an unknown option", client.create_topic(stream, "new", &raw("colour", "green")).await, 4041)?;
    refused("a segment of 7 bytes", client.create_topic(stream, "new", &raw("segment_size", "7")).await, 4042)?;
    let unknown = BTreeMap::from([("colour".to_owned(), "green".to_owned())]);
    let update = TopicUpdateOptions { raw: unknown.clone(), ..TopicUpdateOptions::default() };
    refused("update an unknown option", client.update_topic(stream, &topic, "options", &update).await, 4041)?;
    let update = StreamUpdateOptions { raw: unknown.clone() };
    refused("an option of a stream", client.update_stream(stream, STREAM, &update).await, 4041)?;
    let update = UserUpdateOptions { raw: unknown };
    refused("an option of a user", client.update_user(&id(ROOT.0)?, None, None, &update).await, 4041)?;
    equal("topics", client.get_topics(stream).await?.len(), 1)?;
    ok("unknown options are refused");
    Ok(())
}

async fn confirmations(client: &IggyClient, stream: &Identifier, chooses: bool) -> Outcome {
    let topic = id("confirmed")?;
    let stream_id = present("stream", client.get_stream(stream).await?)?.id;
    let (none, never, unlimited) = (CompressionAlgorithm::None, IggyExpiry::NeverExpire, MaxTopicSize::Unlimited);
    let topic_id = client.make_topic(stream, "confirmed", 3, none, never, unlimited).await?.id;
    let send = async |partitioning: Partitioning, count: usize| -> Outcome<(u32, u64)> {
        let mut messages: Vec<IggyMessage> = (0..count).map(|number| number.to_string().into()).collect();
        let sent = client.send_messages(stream, &topic, &partitioning, &mut messages).await?;
        equal("confirmations", sent.confirmations.len(), 1)?;
        let confirmed = present("confirmation", sent.confirmations.first())?;
        equal("stream and topic", (confirmed.stream_id, confirmed.topic_id), (stream_id, topic_id))?;
        Ok((confirmed.partition_id, confirmed.base_offset))
    };
    equal("the first batch", send(Partitioning::partition_id(2), 3).await?, (2, 0))?;
    equal("the second batch", send(Partitioning::partition_id(2), 4).await?, (2, 3))?;
    // spec BP 8: the key of an 0.8 producer lands there as well.
    equal("a key", send(Partitioning::messages_key_str("user-42")?, 1).await?, (2, 7))?;
    if chooses {
        let balanced = [
            send(Partitioning::balanced(), 1).await?,
            send(Partitioning::balanced(), 1).await?,
            send(Partitioning::balanced(), 1).await?,
            send(Partitioning::balanced(), 1).await?,
        ];
        equal("balanced sends begin at partition 0", balanced, [(0, 0), (1, 0), (2, 8), (0, 1)])?;
    }
    ok("confirmations tell partition and offset");
    Ok(())
}

/// To balance or to hash a key the client reads the topic, which needs the right to.
async fn rights(tour: &Tour, root: &IggyClient, stream: &Identifier) -> Outcome {
    let topic = id("confirmed")?;
    let stream_id = present("stream", root.get_stream(stream).await?)?.id as usize;
    let topic_id = present("topic", root.get_topic(stream, &topic).await?)?.id as usize;
    let sender = TopicPermissions { send_messages: true, ..TopicPermissions::default() };
    let sender =
        StreamPermissions { topics: Some(BTreeMap::from([(topic_id, sender)])), ..StreamPermissions::default() };
    let streams = Some(BTreeMap::from([(stream_id, sender)]));
    let permissions = Permissions { global: GlobalPermissions::default(), streams };
    root.create_user("rust-sender", "sender-secret", UserStatus::Active, Some(permissions)).await?;
    let sender = tour.login(("rust-sender", "sender-secret")).await?;
    let mut messages = [IggyMessage::from("message")];
    sender.send_messages(stream, &topic, &Partitioning::partition_id(1), &mut messages).await?;
    let balanced = sender.send_messages(stream, &topic, &Partitioning::balanced(), &mut messages).await;
    if tour.has_sessions() {
        refused("a balanced send", balanced, 41)?;
        let key = Partitioning::messages_key_str("key")?;
        refused("a keyed send", sender.send_messages(stream, &topic, &key, &mut messages).await, 41)?;
    } else {
        // Over HTTP the broker chooses.
        balanced?;
    }
    tour.end(&sender).await?;
    root.delete_user(&id("rust-sender")?).await?;
    ok("balanced and keyed sends need the right to read the topic");
    Ok(())
}

/// The client reads the number of partitions once, and keeps it.
async fn partition_count(client: &IggyClient, stream: &Identifier) -> Outcome {
    let topic = id("confirmed")?;
    client.create_partitions(stream, &topic, 3).await?;
    let mut reached = BTreeSet::new();
    for _ in 0..6 {
        let mut messages = [IggyMessage::from("message")];
        let sent = client.send_messages(stream, &topic, &Partitioning::balanced(), &mut messages).await?;
        reached.insert(present("confirmation", sent.confirmations.first())?.partition_id);
    }
    equal("partitions that a running producer reaches", reached, BTreeSet::from([0, 1, 2]))?;
    client.delete_partitions(stream, &topic, 5).await?;
    let mut refusals = Vec::new();
    for _ in 0..3 {
        let mut messages = [IggyMessage::from("message")];
        let sent = client.send_messages(stream, &topic, &Partitioning::balanced(), &mut messages).await;
        refusals.push(sent.err().map(|error| error.as_code()));
    }
    refusals.sort_unstable();
    equal("balanced sends with one partition left", refusals, vec![None, Some(3007), Some(3007)])?;
    ok("a running producer keeps the number of partitions that it read");
    Ok(())
}

async fn raw_requests(client: &IggyClient) -> Outcome {
    equal("a raw ping", client.send_binary_request(1, Bytes::new()).await?.len(), 0)?;
    refused("an unknown code", client.send_binary_request(9_999, Bytes::new()).await, 3)?;
    refused("a code that is for clusters", client.send_binary_request(103, Bytes::new()).await, 3)?;
    client.ping().await?;
    ok("raw requests");
    Ok(())
}
