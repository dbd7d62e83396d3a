//! A producer and a member of the group, with the crate that the module around this one names: low-level calls, so that
//! every poll and every commit is seen.
use super::sdk::prelude::*;
use super::{NAME, RECONNECTION, place_of};
use crate::record::{self, Polled, crc32};
use std::collections::BTreeMap;
use std::str::FromStr;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::sleep;

/// The place of the tour: one topic, one group.
#[derive(Clone)]
pub struct Place {
    pub stream: String,
    pub topic: String,
    pub group: String,
    pub partitions: u32,
}

/// How a member lives.
#[derive(Clone, Copy, PartialEq)]
pub enum Life {
    /// Joins once, and again when its membership is gone.
    Steady,
    /// Leaves now and then, and joins again a little later.
    Restless,
}

/// Small numbers that are the same in every run (xorshift).
pub struct Choices(u64);

impl Choices {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }
}

async fn connect(address: &str) -> Result<IggyClient, IggyError> {
    let client = IggyClient::from_connection_string(&format!("iggy+tcp://iggy:iggy@{address}{RECONNECTION}"))?;
    client.connect().await?;
    Ok(client)
}

/// Message `number` of a producer: its name and number in front, then bytes of any value, up to 2,000 of them.
fn payload(producer: &str, number: u64, choices: &mut Choices) -> Vec<u8> {
    let mut bytes = format!("{producer} {number} ").into_bytes();
    let length = if choices.below(10) == 0 { choices.below(2_000) } else { choices.below(200) };
    bytes.extend((0..length).map(|_| choices.below(256) as u8));
    bytes
}

fn message(producer: &str, number: u64, bytes: Vec<u8>) -> Result<IggyMessage, IggyError> {
    if number % 3 != 0 {
        return IggyMessage::builder().payload(bytes.into()).build();
    }
    let headers = BTreeMap::from([(HeaderKey::from_str("producer")?, HeaderValue::from_str(producer)?)]);
    IggyMessage::builder().id(u128::from(number) + 1).payload(bytes.into()).user_headers(headers).build()
}

/// Sends with every partitioning in turn until it is told to stop.
pub async fn produce(address: &str, place: &Place, stop: watch::Receiver<bool>) -> Result<(), IggyError> {
    let client = connect(address).await?;
    let (stream, topic) = (Identifier::named(&place.stream)?, Identifier::named(&place.topic)?);
    let mut choices = Choices::new(7);
    let mut next = 0;
    while !*stop.borrow() {
        let (mut messages, mut sums) = (Vec::new(), Vec::new());
        for number in next..=next + choices.below(20) {
            let bytes = payload(NAME, number, &mut choices);
            sums.push(crc32(&bytes));
            messages.push(message(NAME, number, bytes)?);
        }
        let partitioning = match choices.below(3) {
            0 => Partitioning::balanced(),
            1 => Partitioning::partition_id(choices.below(u64::from(place.partitions)) as u32),
            _ => Partitioning::messages_key_u64(choices.below(1_000)),
        };
        let confirmed = client.send_messages(&stream, &topic, &partitioning, &mut messages).await?;
        record::sent(NAME, next, &sums, place_of(confirmed));
        next += sums.len() as u64;
        sleep(Duration::from_millis(5 + choices.below(20))).await;
    }
    record::done(NAME);
    client.shutdown().await
}

/// One client that is a member of the group.
struct Member {
    name: String,
    client: IggyClient,
    stream: Identifier,
    topic: Identifier,
    group: Identifier,
}

impl Member {
    /// Polls once, and commits what came. False if nothing came.
    async fn turn(&self, choices: &mut Choices) -> Result<bool, IggyError> {
        let consumer = Consumer::group(self.group.clone());
        let (count, started) = (1 + choices.below(50) as u32, record::now());
        let next = PollingStrategy::next();
        let polled = self.client.poll_messages(&self.stream, &self.topic, None, &consumer, &next, count, false).await?;
        let (Some(first), Some(last)) = (polled.messages.first(), polled.messages.last()) else {
            return Ok(false);
        };
        let ended = record::now();
        let partition = polled.partition_id;
        let sums: Vec<u32> = polled.messages.iter().map(|message| crc32(&message.payload)).collect();
        if last.header.offset != first.header.offset + sums.len() as u64 - 1 {
            record::membership(&self.name, "a poll with a gap between its offsets", started);
        }
        if choices.below(5) == 0 {
            sleep(Duration::from_millis(choices.below(30))).await;
        }
        let offset = last.header.offset;
        let stored =
            self.client.store_consumer_offset(&consumer, &self.stream, &self.topic, Some(partition), offset).await;
        let commit = stored.map_or_else(|error| error.as_code().to_string(), |()| "ok".to_owned());
        let (member, first) = (self.name.as_str(), first.header.offset);
        record::polled(&Polled { member, partition, first, sums: &sums, started, ended, commit: &commit });
        Ok(true)
    }

    async fn leave(&self) {
        let started = record::now();
        // Who is no member any more, since its connection was cut, cannot leave: it is out in either case.
        let left = self.client.leave_consumer_group(&self.stream, &self.topic, &self.group).await;
        record::membership(&self.name, if left.is_ok() { "left" } else { "lost" }, started);
    }
}

/// Takes part in the group until it is told to stop.
pub async fn consume(
    address: &str,
    place: &Place,
    (kind, life): (&str, Life),
    stop: watch::Receiver<bool>,
) -> Result<(), IggyError> {
    let member = Member {
        name: format!("{NAME}-{kind}"),
        client: connect(address).await?,
        stream: Identifier::named(&place.stream)?,
        topic: Identifier::named(&place.topic)?,
        group: Identifier::named(&place.group)?,
    };
    let mut choices = Choices::new(u64::from(crc32(member.name.as_bytes())));
    let mut is_member = false;
    while !*stop.borrow() {
        if !is_member {
            let started = record::now();
            is_member = member.client.join_consumer_group(&member.stream, &member.topic, &member.group).await.is_ok();
            record::membership(&member.name, if is_member { "joined" } else { "not joined" }, started);
            if !is_member {
                sleep(Duration::from_millis(50)).await;
                continue;
            }
        }
        let started = record::now();
        match member.turn(&mut choices).await {
            Ok(true) => {}
            Ok(false) => sleep(Duration::from_millis(5)).await,
            Err(error) => {
                record::membership(&member.name, &format!("lost ({})", error.as_code()), started);
                is_member = false;
            }
        }
        if life == Life::Restless && is_member && !record::is_calm() && choices.below(30) == 0 {
            member.leave().await;
            is_member = false;
            sleep(Duration::from_millis(100 + choices.below(300))).await;
        }
    }
    if is_member {
        member.leave().await;
    }
    member.client.shutdown().await
}

/// What a reader compares of a message: offset, id, both times, payload, user headers.
pub type Content = (u64, u128, u64, u64, Vec<u8>, Vec<(String, String)>);

/// Every message of a partition, read by offset.
pub async fn read(address: &str, place: &Place, partition: u32) -> Result<Vec<Content>, IggyError> {
    let client = connect(address).await?;
    let (stream, topic) = (Identifier::named(&place.stream)?, Identifier::named(&place.topic)?);
    let reader = Consumer::new(Identifier::named("mixed-reader")?);
    let mut contents: Vec<Content> = Vec::new();
    loop {
        let strategy = PollingStrategy::offset(contents.len() as u64);
        let polled = client.poll_messages(&stream, &topic, Some(partition), &reader, &strategy, 777, false).await?;
        if polled.messages.is_empty() {
            client.shutdown().await?;
            return Ok(contents);
        }
        for message in polled.messages {
            let headers = message.user_headers_map()?.unwrap_or_default();
            let headers = headers.iter().map(|(key, value)| (format!("{key:?}"), format!("{value:?}"))).collect();
            let IggyMessageHeader { offset, id, timestamp, origin_timestamp, .. } = message.header;
            contents.push((offset, id, timestamp, origin_timestamp, message.payload.to_vec(), headers));
        }
    }
}
