//! Clients of Iggy 0.8 and 0.9 on one topic, in one group, at once.
//! Usage: mixed work <address> <address> <address> <stream> <topic> <group> <partitions>
//!        mixed read <address> <stream> <topic> <partitions>
//! `work` produces and consumes with both crates until the first line on stdin, then only consumes until stdin ends. Of the
//! three addresses of the broker the second and the third are those of members whose connections are cut now and then.
//! `read` reads everything with both crates and prints it, or ends with 1 if they do not see the same.
mod record;
mod v08;
mod v09;

use std::error::Error;
use std::process::ExitCode;
use tokio::io::{AsyncBufReadExt, BufReader, stdin};
use tokio::sync::watch;
use tokio::try_join;

type Outcome = Result<(), Box<dyn Error>>;

/// Tells the producers to stop at the first line, and the members at the end of stdin.
async fn listen(producers: watch::Sender<bool>, members: watch::Sender<bool>) -> Outcome {
    let mut lines = BufReader::new(stdin()).lines();
    lines.next_line().await?;
    producers.send(true)?;
    while lines.next_line().await?.is_some() {}
    members.send(true)?;
    Ok(())
}

async fn work(addresses: [&str; 3], stream: &str, topic: &str, group: &str, partitions: u32) -> Outcome {
    let (stream, topic, group) = (stream.to_owned(), topic.to_owned(), group.to_owned());
    let old = v08::client::Place { stream: stream.clone(), topic: topic.clone(), group: group.clone(), partitions };
    let new = v09::client::Place { stream, topic, group, partitions };
    let (stop_producers, produce) = watch::channel(false);
    let (stop_members, consume) = watch::channel(false);
    let [safe, cut_08, cut_09] = addresses;
    let failed_08 = |error: iggy::prelude::IggyError| Box::<dyn Error>::from(format!("0.8: {error:?}"));
    let failed_09 = |error: iggy_09::prelude::IggyError| Box::<dyn Error>::from(format!("0.9: {error:?}"));
    use v08::client as one;
    use v09::client as two;
    try_join!(
        async { listen(stop_producers, stop_members).await },
        async { one::produce(safe, &old, produce.clone()).await.map_err(failed_08) },
        async { two::produce(safe, &new, produce.clone()).await.map_err(failed_09) },
        async { one::consume(safe, &old, ("steady", one::Life::Steady), consume.clone()).await.map_err(failed_08) },
        async { two::consume(safe, &new, ("steady", two::Life::Steady), consume.clone()).await.map_err(failed_09) },
        async { one::consume(safe, &old, ("restless", one::Life::Restless), consume.clone()).await.map_err(failed_08) },
        async { two::consume(safe, &new, ("restless", two::Life::Restless), consume.clone()).await.map_err(failed_09) },
        async { one::consume(cut_08, &old, ("cut", one::Life::Steady), consume.clone()).await.map_err(failed_08) },
        async { two::consume(cut_09, &new, ("cut", two::Life::Steady), consume.clone()).await.map_err(failed_09) },
    )?;
    Ok(())
}

async fn read(address: &str, stream: &str, topic: &str, partitions: u32) -> Outcome {
    let (stream, topic, group) = (stream.to_owned(), topic.to_owned(), String::new());
    let old = v08::client::Place { stream: stream.clone(), topic: topic.clone(), group: group.clone(), partitions };
    let new = v09::client::Place { stream, topic, group, partitions };
    for partition in 0..partitions {
        let by_08 = v08::client::read(address, &old, partition).await?;
        let by_09 = v09::client::read(address, &new, partition).await?;
        if by_08.len() != by_09.len() {
            return Err(format!("partition {partition}: {} and {} messages", by_08.len(), by_09.len()).into());
        }
        for (index, (left, right)) in by_08.iter().zip(&by_09).enumerate() {
            if left != right || left.0 != index as u64 {
                return Err(format!("partition {partition}, message {index}: {left:?} and {right:?}").into());
            }
            println!("stored\t{partition}\t{index}\t{}", record::crc32(&left.4));
        }
    }
    Ok(())
}

async fn run() -> Outcome {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["work", safe, cut_08, cut_09, stream, topic, group, partitions] => {
            work([safe, cut_08, cut_09], stream, topic, group, partitions.parse()?).await
        }
        ["read", address, stream, topic, partitions] => read(address, stream, topic, partitions.parse()?).await,
        _ => Err("usage: mixed work|read ..., as the first lines of its source tell".into()),
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("failed: {error}");
            ExitCode::FAILURE
        }
    }
}
