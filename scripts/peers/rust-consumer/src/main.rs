// Consumers of the crate for scripts/measure-idle-consumers.ts. The first reads messages whose payload is the time of their sending, µs
// since the epoch as a u64, little-endian, and prints how long each took to come here, in µs, one a line; where the count is 0 it only
// waits. Arguments: address, stream, topic, how many consumers (each on a connection of its own, their partitions going round), partitions
// of the topic, how many messages, interval between polls in ms ("default": what the crate does when nothing is said). It says "ready"
// when all are at work, and ends with its standard input.
use futures_util::StreamExt;
use iggy::prelude::*;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::io::AsyncReadExt;

fn now_micros() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("a time after the epoch").as_micros() as u64
}

struct Place {
    address: String,
    stream: String,
    topic: String,
    partitions: u32,
    interval: String,
}

async fn open(place: &Place, number: u32) -> Result<(IggyClient, IggyConsumer), IggyError> {
    let client = IggyClient::from_connection_string(&format!("iggy+tcp://iggy:iggy@{}", place.address))?;
    client.connect().await?;
    let name = format!("rust-{}-{number}", place.topic);
    let builder = client.consumer(&name, &place.stream, &place.topic, number % place.partitions)?;
    let mut consumer = match place.interval.as_str() {
        "default" => builder.build(),
        ms => {
            let ms = ms.parse().expect("milliseconds");
            builder.poll_interval(IggyDuration::from(Duration::from_millis(ms))).build()
        }
    };
    consumer.init().await?;
    Ok((client, consumer))
}

#[tokio::main]
async fn main() -> Result<(), IggyError> {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, address, stream, topic, consumers, partitions, messages, interval] = arguments.as_slice() else {
        panic!("address stream topic consumers partitions messages interval");
    };
    let place = Place {
        address: address.clone(),
        stream: stream.clone(),
        topic: topic.clone(),
        partitions: partitions.parse().expect("partitions"),
        interval: interval.clone(),
    };
    let consumers: u32 = consumers.parse().expect("a number of consumers");
    let messages: usize = messages.parse().expect("a number of messages");
    let (_client, mut first) = open(&place, 0).await?;
    for number in 1..consumers {
        let (client, mut consumer) = open(&place, number).await?;
        tokio::spawn(async move {
            let _client = client;
            while let Some(received) = consumer.next().await {
                received.expect("a message");
            }
        });
    }
    println!("ready");
    if messages == 0 {
        tokio::spawn(async move { while first.next().await.is_some() {} });
    } else {
        let mut seen = 0;
        while seen < messages {
            let Some(received) = first.next().await else { break };
            let payload = &received?.message.payload;
            let sent = u64::from_le_bytes(payload[..8].try_into().expect("eight bytes"));
            println!("{}", now_micros().saturating_sub(sent));
            seen += 1;
        }
    }
    let mut rest = Vec::new();
    tokio::io::stdin().read_to_end(&mut rest).await.expect("the end of the input");
    std::process::exit(0);
}
