//! What the crate of Iggy 0.8 calls in another way than the one of 0.9, and what a broker answers it otherwise.
use crate::tour::{Outcome, ROOT, Tour, equal, id, ok};
use iggy::prelude::*;

/// The error number for a token that nobody has, or has any more.
pub fn unknown_token(_: &Tour) -> u32 {
    20
}

/// The error number for the login of a user who is not active.
pub fn inactive_user(_: &Tour) -> u32 {
    47
}

/// The error number for the poll of a member whose group was deleted.
pub const DELETED_GROUP: u32 = 5000;
/// Whether the shutdown of a consumer stores the last message that was given out, with auto-commit off.
pub const SHUTDOWN_STORES: bool = true;
/// Whether a client can do anything else over WebSocket while a consumer is not asked for more: this one holds its connection
/// while a reply waits to be taken, and every other call waits for ever; over TCP and QUIC a task of its own takes the reply.
pub const CONSUMERS_OVER_WEBSOCKET: bool = false;
/// Whether `connect` succeeds at once, without a connection, where an earlier one still tries.
pub const CONNECTS_WITHOUT_CONNECTION: bool = true;
/// What a member of a group adds to its connection string: the broker itself knows who has which partition.
pub const MEMBER_OPTIONS: &str = "";

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
        self.create_topic(stream, name, partitions, compression, None, expiry, max_size).await
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
        self.update_topic(stream, topic, name, compression, None, expiry, max_size).await
    }

    async fn rename_stream(&self, stream: &Identifier, name: &str) -> Result<(), IggyError> {
        self.update_stream(stream, name).await
    }

    async fn change_user(
        &self,
        user: &Identifier,
        name: Option<&str>,
        status: Option<UserStatus>,
    ) -> Result<(), IggyError> {
        self.update_user(user, name, status).await
    }
}

pub trait ProducerCalls {
    fn make_topic_if_missing(self, partitions: u32) -> Self;
}

impl ProducerCalls for IggyProducerBuilder {
    fn make_topic_if_missing(self, partitions: u32) -> Self {
        self.create_topic_if_not_exists(partitions, None, IggyExpiry::NeverExpire, MaxTopicSize::Unlimited)
    }
}

/// What only this generation has: topics have a replication factor.
pub async fn run(tour: &Tour) -> Outcome {
    let client = tour.login(ROOT).await?;
    let stream = id("rust-replication")?;
    let (never, unlimited) = (IggyExpiry::NeverExpire, MaxTopicSize::Unlimited);
    client.create_stream("rust-replication").await?;
    for (name, replication) in [("default", None), ("one", Some(1))] {
        let topic =
            client.create_topic(&stream, name, 1, CompressionAlgorithm::None, replication, never, unlimited).await?;
        equal("replication", topic.replication_factor, 1)?;
    }
    client.delete_stream(&stream).await?;
    tour.end(&client).await?;
    ok("replication factors");
    Ok(())
}
